/* One acquisition from AcquisitionStart to its end, on the camera's thread, which holds the lock except where it says. */
#ifndef STATION_ACQUISITION_H
#define STATION_ACQUISITION_H

#include "camera.h"
#include "exposure.h"

/* Settings are taken over when the acquisition starts and hold until it ends. */
struct acquisition {
    struct camera *camera;
    struct exposure exposure;
    uint32_t height;
    uint32_t chunks; /* 1 << enum chunk of those that are appended */
    uint64_t blocks; /* to take; UINT64_MAX: until stopped */
};

/* Stopped, aborted or unplugged. */
bool acquisition_ended(const struct acquisition *acquisition);
/* Looks at the scene, or for it, while others may use the producer; faults that hit at once, hit. */
struct scene_view acquisition_look(struct acquisition *acquisition);

/* triggers.c: begins the lines when the trigger comes, at once if it is off. False when the acquisition was ended. */
bool trigger_await(struct acquisition *acquisition, enum trigger_selector selector);

#endif
