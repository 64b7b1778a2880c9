/* Each camera has a stream of its own. */
#include "transport/cameras.h"

#include "base/producer.h"
#include "stream/stream.h"

static struct stream streams[CAMERA_MAX];
static struct camera cameras[CAMERA_MAX] = {
    {.id = "station-linescan-1", .serial = "SLS-0001", .stream = &streams[0]},
    {.id = "station-linescan-2", .serial = "SLS-0002", .stream = &streams[1]},
    {.id = "station-linescan-3", .serial = "SLS-0003", .stream = &streams[2]},
    {.id = "station-linescan-4", .serial = "SLS-0004", .stream = &streams[3]},
};

struct camera *producer_camera(unsigned index) {
    return &cameras[index];
}

/* Conditions wait on the clock that the whole cell shares. */
void cameras_make(void) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    for (unsigned i = 0; i < CAMERA_MAX; i++)
        pthread_cond_init(&cameras[i].changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}
