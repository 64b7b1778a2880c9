/* Plugging a camera in: power-up. */
#ifndef STATION_CABLE_H
#define STATION_CABLE_H

#include "camera/camera.h"

/* Power-up: the default user set, no scene. */
void camera_plug_in(struct camera *camera);
/* Whether it is connected; it may be so again since the last question. */
bool camera_connected(struct camera *camera);

#endif
