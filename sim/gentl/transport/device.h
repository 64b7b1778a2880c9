/* A camera as a GenTL device. */
#ifndef STATION_DEVICE_H
#define STATION_DEVICE_H

#include "base/answers.h"
#include "camera/camera.h"

GC_ERROR device_info(struct camera *camera, DEVICE_INFO_CMD command, struct answer to);
GC_ERROR device_open(struct camera *camera, DEVICE_ACCESS_FLAGS flags, DEV_HANDLE *device);
/* Closes its stream, ends its thread; returns when that is done, also if somebody else does it. */
void device_close(struct camera *camera);

#endif
