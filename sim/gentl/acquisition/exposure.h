/* Exposing lines: when each line comes and ends, which row of the surface it shows. */
#ifndef STATION_EXPOSURE_H
#define STATION_EXPOSURE_H

#include "acquisition/pixels.h"
#include "camera/scene.h"

enum line_start {
    LINES_BY_CLOCK,   /* the LineStart trigger is off: at the line rate */
    LINES_BY_JIG,     /* at the jig's pulses */
    LINES_BY_SOFTWARE /* one with every TriggerSoftware */
};

/* The lines of one acquisition. Positions are the jig's, in rows since its epoch. */
struct exposure {
    struct scene *scene;
    struct pixels pixels;
    enum line_start start;
    double line_ns;      /* LINES_BY_CLOCK: time a line takes; else the shortest */
    uint32_t pulse_rows; /* rows from one line's pulse to the next; 0: one pulse a turn */
    uint64_t origin_ns;  /* start of line 0; LINES_BY_SOFTWARE: time of the last trigger */
    uint64_t line;       /* number of the next line since the origin */
    uint64_t total;      /* lines since the acquisition began */
    int64_t position;    /* at the last line exposed */
    int64_t steps;       /* at the next line, on a jig that advances with every line */
    uint32_t turn_lines; /* as of the last look */
    uint64_t end_ns;     /* of the last line exposed */
    struct {
        bool turning;                 /* as of the last look */
        uint64_t epoch_ns, period_ns; /* the motion that is followed */
        int64_t shift;                /* added to the scene's rows, whole turns: the count goes on when the speed changes */
        int64_t next;                 /* position at which the next line comes */
        int64_t stride;               /* rows between lines that the camera can take at this speed */
    } jig;
    int64_t encoder_zero; /* position at which the encoder's value is 0 */
};

/* Line 0 starts at this time; a jig that advances with the lines goes on to its index if `at_index`. */
void exposure_begin(struct exposure *exposure, const struct scene_view *view, uint64_t origin_ns, bool at_index);
/* How many of the next lines have ended by now, at most `limit`, for all but LINES_BY_SOFTWARE.
 *
 * Otherwise `wake_ns` says when the next one, and when the last of them, will have ended: UINT64_MAX for never. */
struct exposure_wake {
    uint64_t next_ns, last_ns;
};
uint32_t exposure_due(struct exposure *exposure, const struct scene_view *view, uint64_t now_ns, uint32_t limit,
                      struct exposure_wake *wake);
/* Exposes the next lines into `pixels`, the encoder's value at each, eight bytes, into `encoder` (NULL: nobody wants
 * them). Returns the jig's position at the first of them. */
int64_t exposure_take(struct exposure *exposure, uint8_t *pixels, uint8_t *encoder, uint32_t lines);
/* Lets lines go by unseen. */
void exposure_skip(struct exposure *exposure, uint32_t lines);

#endif
