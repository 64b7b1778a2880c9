/* Exposing lines: when each line ends, which row of the surface it shows, and its pixels. */
#ifndef STATION_EXPOSURE_H
#define STATION_EXPOSURE_H

#include "scene.h"

/* The lines of one acquisition, counted from its origin. */
struct exposure {
    struct scene *scene;
    uint32_t width, offset_x, pixel_format;
    double line_ns;     /* time a line takes */
    uint64_t origin_ns; /* start of line 0 */
    uint64_t line;      /* number of the next line */
    int64_t position;   /* the jig's, in rows, at the last line exposed */
    int64_t steps;      /* the next line's position on a jig that advances with every line */
};

/* Line 0 starts at this time; a jig that advances with the lines is at its index. */
void exposure_begin(struct exposure *exposure, uint64_t origin_ns);
/* Exposes the next lines into `pixels` (NULL: nobody wants them). Returns the jig's position at the first of them. */
int64_t exposure_take(struct exposure *exposure, uint8_t *pixels, uint32_t lines);
/* Lets lines go by unseen. */
void exposure_skip(struct exposure *exposure, uint32_t lines);
/* Time at which a line's exposure ends. */
uint64_t exposure_line_end(const struct exposure *exposure, uint64_t line);
/* How many of the next lines have ended by now, at most `limit`. */
uint32_t exposure_due(const struct exposure *exposure, uint64_t now_ns, uint32_t limit);
/* Bytes a line takes in the buffer. */
size_t exposure_pitch(const struct exposure *exposure);

#endif
