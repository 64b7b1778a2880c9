/* The library's beginning and end. */
#include <stdlib.h>

#include "base/producer.h"
#include "camera/cable.h"
#include "transport/cameras.h"
#include "transport/system.h"

static void make_once(void) {
    cameras_make();
    scene_make_pattern();
}

/* One, unless STATION_GENTL_CAMERAS says more. */
static unsigned wanted_cameras(void) {
    const char *wanted = getenv("STATION_GENTL_CAMERAS");
    long count = wanted ? strtol(wanted, NULL, 10) : 1;
    return count < 1 ? 1 : count > CAMERA_MAX ? CAMERA_MAX : (unsigned)count;
}

GC_API GCInitLib(void) {
    static pthread_once_t made = PTHREAD_ONCE_INIT;
    pthread_once(&made, make_once);
    __attribute__((cleanup(producer_leave))) bool running = producer_enter();
    if (running || producer.closing)
        return refuse(GC_ERR_RESOURCE_IN_USE, "GCInitLib has been called before");
    producer.initialised = true;
    producer.camera_count = wanted_cameras();
    for (unsigned i = 0; i < producer.camera_count; i++) {
        struct camera *camera = producer_camera(i);
        if (camera->cable != CABLE_OUT_UNTIL_CLOSED)
            camera_plug_in(camera);
        camera->listed = camera_connected(camera);
    }
    return GC_ERR_SUCCESS;
}

GC_API GCCloseLib(void) {
    GENTL_ENTRY;
    producer.initialised = false; /* from here on nobody opens anything */
    producer.closing = true;
    system_close();
    for (unsigned i = 0; i < producer.camera_count; i++)
        if (producer_camera(i)->cable == CABLE_IN)
            scene_close(&producer_camera(i)->scene);
    producer.closing = false;
    return GC_ERR_SUCCESS;
}
