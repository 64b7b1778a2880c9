/* The thread holds the lock except while it waits, looks, or exposes. */
#include "acquisition/thread.h"

#include "acquisition/acquisition.h"
#include "base/clock.h"
#include "base/producer.h"

static const uint64_t IDLE_LOOK_NS = 5 * NS_PER_MS; /* how often an idle camera looks whether a fault was ordered */

/* Nothing is acquired: looks only for faults that the scene orders. */
static void idle(struct camera *camera) {
    if (!camera->scene.name[0]) {
        camera_await_change(camera);
        return;
    }
    camera_wait_until(camera, clock_now_ns() + IDLE_LOOK_NS);
    if (camera->acquiring || camera->quit || camera->cable != CABLE_IN)
        return;
    scene_refresh(&camera->scene);
    camera_note_scene(camera);
    if (scene_fault_waits(&camera->scene)) {
        const struct scene_view view = scene_look(&camera->scene);
        faults_at_once(camera, &view);
    }
}

static void *serve(void *argument) {
    struct camera *camera = argument;
    pthread_mutex_lock(&producer_mutex);
    while (!camera->quit) {
        if (!camera->acquiring) {
            idle(camera);
            continue;
        }
        acquisition_run(camera);
        camera->acquiring = false;
        camera->ending = END_NOT;
        camera_tell_change(camera);
    }
    camera->acquiring = false;
    camera_tell_change(camera);
    pthread_mutex_unlock(&producer_mutex);
    return NULL;
}

GC_ERROR camera_power_on(struct camera *camera) {
    camera->quit = false;
    if (pthread_create(&camera->thread, NULL, serve, camera) != 0)
        return refuse(GC_ERR_RESOURCE_EXHAUSTED, "the acquisition thread cannot be started");
    return GC_ERR_SUCCESS;
}

static void join_unlocked(pthread_t thread) {
    UNLOCKED;
    pthread_join(thread, NULL);
}

void camera_power_off(struct camera *camera) {
    camera->quit = true;
    camera_end(camera, END_ABORT);
    join_unlocked(camera->thread);
    camera->registers.tl_params_locked = 0;
}
