/* The library: its lock, its cameras, its beginning and end. */
#include <dlfcn.h>
#include <stdlib.h>

#include "camera.h"
#include "producer.h"

struct producer producer;
pthread_mutex_t producer_mutex = PTHREAD_MUTEX_INITIALIZER;

static struct camera cameras[CAMERA_MAX] = {
    {.id = "station-linescan-1", .serial = "SLS-0001"},
    {.id = "station-linescan-2", .serial = "SLS-0002"},
    {.id = "station-linescan-3", .serial = "SLS-0003"},
    {.id = "station-linescan-4", .serial = "SLS-0004"},
};

struct camera *producer_camera(unsigned index) {
    return &cameras[index];
}

const char *producer_path(void) {
    Dl_info found;
    return dladdr(&producer, &found) && found.dli_fname ? found.dli_fname : PRODUCER_FILE;
}

bool producer_enter(void) {
    pthread_mutex_lock(&producer_mutex);
    return producer.initialised;
}

void producer_leave(const bool *entered) {
    (void)entered;
    pthread_mutex_unlock(&producer_mutex);
}

/* Conditions wait on the clock that the whole cell shares. */
static void make_conditions(void) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    for (unsigned i = 0; i < CAMERA_MAX; i++)
        pthread_cond_init(&cameras[i].changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
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
    pthread_once(&made, make_conditions);
    __attribute__((cleanup(producer_leave))) bool running = producer_enter();
    if (running || producer.closing)
        return refuse(GC_ERR_RESOURCE_IN_USE, "GCInitLib has been called before");
    producer.initialised = true;
    producer.camera_count = wanted_cameras();
    for (unsigned i = 0; i < producer.camera_count; i++) {
        struct camera *camera = &cameras[i];
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
        if (cameras[i].cable == CABLE_IN)
            scene_close(&cameras[i].scene);
    producer.closing = false;
    return GC_ERR_SUCCESS;
}
