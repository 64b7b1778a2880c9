/* The camera's thread: acquires on command, else looks for faults that the scene orders. */
#ifndef STATION_THREAD_H
#define STATION_THREAD_H

#include "camera/camera.h"

/* Starts and ends it, with the device; its end ends the acquisition. */
GC_ERROR camera_power_on(struct camera *camera);
void camera_power_off(struct camera *camera);

#endif
