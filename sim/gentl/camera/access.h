/* Reading and writing one whole register of the camera.
 *
 * Other addresses and lengths, wrong access, values out of range and locked registers are refused. */
#ifndef STATION_ACCESS_H
#define STATION_ACCESS_H

#include "camera/camera.h"

GC_ERROR registers_read(struct camera *camera, uint64_t address, void *value, size_t size);
GC_ERROR registers_write(struct camera *camera, uint64_t address, const void *value, size_t size);

#endif
