/* A line shows the row that passes in the middle of its exposure: half a row away from either neighbour, so neither
 * rounding nor a line rate that is off by less than 1 in 2 * 3584 ever shows a row twice or not at all in one turn. */
#include "exposure.h"

#include <string.h>

#include "registers.h"

void exposure_begin(struct exposure *exposure, uint64_t origin_ns) {
    exposure->origin_ns = origin_ns;
    exposure->line = 0;
    exposure->steps = 0;
}

size_t exposure_pitch(const struct exposure *exposure) {
    return exposure->width * pixel_size(exposure->pixel_format);
}

static uint64_t time_at(const struct exposure *exposure, double lines) {
    return exposure->origin_ns + (uint64_t)(lines * exposure->line_ns + 0.5);
}

uint64_t exposure_line_end(const struct exposure *exposure, uint64_t line) {
    return time_at(exposure, (double)line + 1.0);
}

uint32_t exposure_due(const struct exposure *exposure, uint64_t now_ns, uint32_t limit) {
    if (now_ns <= exposure->origin_ns)
        return 0;
    double ended = (double)(now_ns - exposure->origin_ns) / exposure->line_ns - (double)exposure->line;
    if (ended >= limit)
        return limit;
    return ended > 0 ? (uint32_t)ended : 0;
}

/* Pixels of the sensor's 8 bits in the wider formats: full scale stays full scale. */
static void widen(uint8_t *target, const uint8_t *row, uint32_t count, uint32_t pixel_format) {
    for (uint32_t x = 0; x < count; x++) {
        unsigned grey = row[x];
        unsigned value = pixel_format == PIXEL_MONO16 ? grey << 8u | grey : grey << 4u | grey >> 4u;
        target[2 * x] = (uint8_t)value;
        target[2 * x + 1] = (uint8_t)(value >> 8u);
    }
}

/* One line; black where the sensor has no pixels. */
static void copy_line(const struct exposure *exposure, const struct scene_view *view, int64_t position,
                      uint8_t *target) {
    uint32_t seen = 0;
    if (view->pixels && exposure->offset_x < view->sensor_width) {
        int64_t row = position % view->turn_lines;
        row += row < 0 ? view->turn_lines : 0;
        const uint8_t *source = view->pixels + (size_t)row * view->row_pitch + exposure->offset_x;
        uint32_t there = view->sensor_width - exposure->offset_x;
        seen = there < exposure->width ? there : exposure->width;
        if (exposure->pixel_format == PIXEL_MONO8)
            memcpy(target, source, seen);
        else
            widen(target, source, seen, exposure->pixel_format);
    }
    size_t filled = seen * pixel_size(exposure->pixel_format);
    memset(target + filled, 0, exposure_pitch(exposure) - filled);
}

static int64_t position_of(struct exposure *exposure, const struct scene_view *view, uint64_t line) {
    switch (view->motion) {
    case MOTION_TIMED:
        return scene_rows_at(view, time_at(exposure, (double)line + 0.5));
    case MOTION_STEPPED:
        return exposure->steps++;
    default:
        return exposure->position;
    }
}

int64_t exposure_take(struct exposure *exposure, uint8_t *pixels, uint32_t lines) {
    const struct exposure before = *exposure;
    struct scene_view view;
    int64_t first;
    do {
        exposure->steps = before.steps;
        exposure->position = before.position;
        view = scene_look(exposure->scene);
        first = before.position;
        for (uint32_t i = 0; i < lines; i++) {
            exposure->position = position_of(exposure, &view, before.line + i);
            first = i == 0 ? exposure->position : first;
            if (pixels)
                copy_line(exposure, &view, exposure->position, pixels + i * exposure_pitch(exposure));
        }
    } while (!scene_unchanged(exposure->scene, &view));
    exposure->line = before.line + lines;
    return first;
}

void exposure_skip(struct exposure *exposure, uint32_t lines) {
    exposure->line += lines;
    exposure->steps += lines;
}
