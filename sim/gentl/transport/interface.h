/* The one interface, and the devices that it lists. */
#ifndef STATION_INTERFACE_H
#define STATION_INTERFACE_H

#include "base/answers.h"
#include "camera/camera.h"

GC_ERROR interface_info(INTERFACE_INFO_CMD command, struct answer to);
/* Closes it and all its devices. */
void interface_close(void);
/* The listed device number `index`, NULL when there are fewer. */
struct camera *interface_device(uint32_t index);
uint32_t interface_device_count(void);
/* Looks which cameras are there; whether that has changed. */
bool interface_update(void);

#endif
