/* The cameras of this producer, whether they are plugged in or not. */
#ifndef STATION_CAMERAS_H
#define STATION_CAMERAS_H

#include "camera/camera.h"

/* Once, before the first call of `producer_camera`. */
void cameras_make(void);
/* Camera number `index`, less than CAMERA_MAX. */
struct camera *producer_camera(unsigned index);

#endif
