/* From the scene's grey to the pixels of the image: exposure, gain, black level, sensor noise, pixel format. */
#ifndef STATION_PIXELS_H
#define STATION_PIXELS_H

#include "camera/registers.h"
#include "camera/scene.h"

/* How the sensor sees, from one AcquisitionStart to its end.
 *
 * A scene shows what the sensor digitises at its nominal exposure. So at that exposure, without gain, black level and
 * noise, an image has exactly the scene's pixels. */
struct pixels {
    uint32_t width, offset_x, format;
    bool big_endian;    /* the higher byte of a pixel of two bytes comes first */
    bool plain;         /* nothing changes the scene's grey */
    uint16_t grey[256]; /* in the units of the format */
    double noise;       /* standard deviation, in the units of the format */
    uint64_t seed;      /* of this acquisition's noise */
};

/* The settings in the registers; the number of the acquisition tells its noise from the others'. */
struct pixels pixels_of(const struct registers *registers, uint64_t acquisition);
/* Bytes a line takes in the buffer. */
size_t pixels_pitch(const struct pixels *pixels);
/* One line that shows this row of the surface; black where the sensor has no pixels. `line` counts from the start. */
void pixels_expose(const struct pixels *pixels, const struct scene_view *view, uint32_t row, uint64_t line,
                   uint8_t *target);

#endif
