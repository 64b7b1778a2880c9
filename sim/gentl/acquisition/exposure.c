/* A line by the clock shows the row that passes in the middle of its exposure: half a row away from either neighbour, so
 * neither rounding nor a line rate that is off by less than 1 in twice the rows of a turn ever shows a row twice or not
 * at all in a turn.
 *
 * A line by the jig shows the row at whose beginning its pulse comes, so each row comes once at any speed. A pulse that
 * comes while the line before is still being exposed is missed, as with real cameras. */
#include "acquisition/exposure.h"

#include <math.h>
#include <string.h>

/* ---- by the clock ---- */

static uint64_t time_at(const struct exposure *exposure, double lines) {
    return exposure->origin_ns + (uint64_t)(lines * exposure->line_ns + 0.5);
}

static uint64_t line_end(const struct exposure *exposure, uint64_t line) {
    return time_at(exposure, (double)line + 1.0);
}

static uint32_t due_by_clock(const struct exposure *exposure, uint64_t now_ns, uint32_t limit,
                             struct exposure_wake *wake) {
    wake->next_ns = line_end(exposure, exposure->line);
    wake->last_ns = line_end(exposure, exposure->line + limit - 1);
    if (now_ns <= exposure->origin_ns)
        return 0;
    double ended = (double)(now_ns - exposure->origin_ns) / exposure->line_ns - (double)exposure->line;
    if (ended >= limit)
        return limit;
    return ended > 0 ? (uint32_t)ended : 0;
}

/* ---- by the jig ---- */

static int64_t pulse_rows(const struct exposure *exposure, const struct scene_view *view) {
    return exposure->pulse_rows ? exposure->pulse_rows : view->turn_lines;
}

/* The first position from here on at which a line's pulse comes: any row, or the index. */
static int64_t pulse_from(const struct exposure *exposure, const struct scene_view *view, int64_t rows) {
    if (exposure->pulse_rows)
        return rows;
    int64_t turns = rows / view->turn_lines + (rows % view->turn_lines > 0);
    return turns * view->turn_lines;
}

/* The whole turns, in rows, that are nearest to a distance. */
static int64_t nearest_turns(int64_t rows, int64_t turn_lines) {
    return llround((double)rows / (double)turn_lines) * turn_lines;
}

/* A jig whose speed has changed goes on counting; one that has stood begins with the next pulse. */
static void follow(struct exposure *exposure, const struct scene_view *view, uint64_t now_ns) {
    bool same = exposure->jig.epoch_ns == view->epoch_ns && exposure->jig.period_ns == view->period_ns;
    int64_t missing = exposure->jig.next - scene_rows_at(view, now_ns);
    if (exposure->jig.turning && !same)
        exposure->jig.shift = nearest_turns(missing, view->turn_lines);
    if (!exposure->jig.turning) {
        exposure->jig.shift = missing > 0 ? (missing + view->turn_lines - 1) / view->turn_lines * view->turn_lines : 0;
        exposure->jig.next = pulse_from(exposure, view, exposure->jig.next - missing + exposure->jig.shift + 1);
    }
    exposure->jig.turning = true;
    exposure->jig.epoch_ns = view->epoch_ns;
    exposure->jig.period_ns = view->period_ns;
    double pulse_ns = (double)view->period_ns / view->turn_lines * (double)pulse_rows(exposure, view);
    double pulses = ceil(exposure->line_ns / pulse_ns - 1e-6);
    exposure->jig.stride = (int64_t)fmax(1, pulses) * pulse_rows(exposure, view);
}

static uint64_t jig_line_end(const struct exposure *exposure, const struct scene_view *view, int64_t position) {
    return scene_time_of(view, position - exposure->jig.shift) + (uint64_t)exposure->line_ns;
}

static uint32_t due_by_jig(struct exposure *exposure, const struct scene_view *view, uint64_t now_ns, uint32_t limit,
                           struct exposure_wake *wake) {
    if (view->motion == MOTION_STILL) {
        exposure->jig.turning = false;
        return 0;
    }
    follow(exposure, view, now_ns);
    int64_t next = exposure->jig.next, stride = exposure->jig.stride;
    wake->next_ns = jig_line_end(exposure, view, next);
    wake->last_ns = jig_line_end(exposure, view, next + (limit - 1) * stride);
    if (now_ns < wake->next_ns)
        return 0;
    int64_t passed = scene_rows_at(view, now_ns - (uint64_t)exposure->line_ns) + exposure->jig.shift;
    int64_t due = (passed - next) / stride + 1;
    due = due < limit ? due : limit;
    exposure->end_ns = jig_line_end(exposure, view, next + (due - 1) * stride);
    return (uint32_t)due;
}

/* ---- lines ---- */

void exposure_begin(struct exposure *exposure, const struct scene_view *view, uint64_t origin_ns, bool at_index) {
    exposure->origin_ns = origin_ns;
    exposure->line = 0;
    int64_t past_index = exposure->steps % view->turn_lines;
    if (at_index && past_index)
        exposure->steps += view->turn_lines - past_index;
    exposure->jig.turning = view->motion == MOTION_TIMED;
    exposure->jig.epoch_ns = view->epoch_ns;
    exposure->jig.period_ns = view->period_ns;
    exposure->jig.shift = 0;
    exposure->jig.stride = pulse_rows(exposure, view);
    exposure->jig.next = exposure->jig.turning ? pulse_from(exposure, view, scene_rows_at(view, origin_ns)) : 0;
}

uint32_t exposure_due(struct exposure *exposure, const struct scene_view *view, uint64_t now_ns, uint32_t limit,
                      struct exposure_wake *wake) {
    *wake = (struct exposure_wake){UINT64_MAX, UINT64_MAX};
    if (exposure->start == LINES_BY_JIG && view->motion != MOTION_STEPPED)
        return due_by_jig(exposure, view, now_ns, limit, wake);
    if (view->pace == PACE_MAX)
        return limit;
    uint32_t due = due_by_clock(exposure, now_ns, limit, wake);
    exposure->end_ns = due ? line_end(exposure, exposure->line + due - 1) : exposure->end_ns;
    return due;
}

static int64_t position_of(struct exposure *exposure, const struct scene_view *view) {
    if (view->motion == MOTION_STEPPED) {
        int64_t rows = exposure->steps;
        exposure->steps += exposure->start == LINES_BY_JIG ? pulse_rows(exposure, view) : 1;
        return rows;
    }
    if (exposure->start == LINES_BY_JIG) {
        int64_t rows = exposure->jig.next;
        exposure->jig.next += exposure->jig.stride;
        return rows;
    }
    if (view->motion == MOTION_STILL)
        return exposure->position;
    return scene_rows_at(view, exposure->start == LINES_BY_CLOCK ? time_at(exposure, (double)exposure->line + 0.5)
                                                                 : exposure->origin_ns);
}

static void note_encoder(const struct exposure *exposure, uint8_t *place) {
    int64_t value = exposure->position - exposure->encoder_zero;
    memcpy(place, &value, sizeof value);
}

int64_t exposure_take(struct exposure *exposure, uint8_t *pixels, uint8_t *encoder, uint32_t lines) {
    const struct exposure before = *exposure;
    struct scene_view view;
    int64_t first;
    do {
        *exposure = before;
        view = scene_look(exposure->scene);
        exposure->turn_lines = view.turn_lines;
        first = before.position;
        for (uint32_t i = 0; i < lines; i++, exposure->line++, exposure->total++) {
            exposure->position = position_of(exposure, &view);
            first = i == 0 ? exposure->position : first;
            if (pixels)
                pixels_expose(&exposure->pixels, &view, scene_surface_row(&view, exposure->position), exposure->total,
                              pixels + i * pixels_pitch(&exposure->pixels));
            if (encoder)
                note_encoder(exposure, encoder + i * sizeof(int64_t));
        }
    } while (!scene_unchanged(exposure->scene, &view));
    return first;
}

void exposure_skip(struct exposure *exposure, uint32_t lines) {
    exposure->line += lines;
    exposure->total += lines;
    exposure->steps += lines * (exposure->start == LINES_BY_JIG && exposure->pulse_rows ? exposure->pulse_rows : 1);
    exposure->jig.next += lines * exposure->jig.stride;
}
