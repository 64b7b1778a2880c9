/* The camera's life: power, acquisition commands, cable, and what it looks at. */
#include "camera.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"

static const uint64_t IDLE_LOOK_NS = 5 * NS_PER_MS; /* how often an idle camera looks whether a fault was ordered */

/* ---- power and cable ---- */

void camera_plug_in(struct camera *camera) {
    settings_power_up(&camera->registers, &camera->flash, camera->serial);
    camera->cable = CABLE_IN;
    camera->hung = false;
    camera->acquisitions = 0;
    camera->position = camera->encoder_zero = 0;
    camera->turn_lines = 1;
    camera_choose_scene(camera);
    pthread_cond_broadcast(&camera->changed);
}

void camera_unplug(struct camera *camera, enum cable cable, uint32_t away_ms) {
    camera->cable = cable;
    camera->back_ns = clock_now_ns() + away_ms * NS_PER_MS;
    pthread_cond_broadcast(&camera->changed);
}

/* Whether the time of an outage is over; the cell may end it earlier. */
static bool outage_over(const struct camera *camera) {
    uint64_t now = clock_now_ns();
    return now >= camera->back_ns || (camera->scene.shared && scene_away_until(&camera->scene) <= now);
}

bool camera_connected(struct camera *camera) {
    if (camera->cable == CABLE_OUT_UNTIL_CLOSED && !camera->device && outage_over(camera))
        camera_plug_in(camera);
    return camera->cable == CABLE_IN;
}

/* ---- the thread ---- */

/* Nothing is acquired: looks only for faults that the scene orders. */
static void idle(struct camera *camera) {
    if (!camera->scene.name[0]) {
        pthread_cond_wait(&camera->changed, &producer_mutex);
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
        pthread_cond_broadcast(&camera->changed);
    }
    camera->acquiring = false;
    pthread_cond_broadcast(&camera->changed);
    pthread_mutex_unlock(&producer_mutex);
    return NULL;
}

GC_ERROR camera_power_on(struct camera *camera) {
    camera->quit = false;
    if (pthread_create(&camera->thread, NULL, serve, camera) != 0)
        return refuse(GC_ERR_RESOURCE_EXHAUSTED, "the acquisition thread cannot be started");
    return GC_ERR_SUCCESS;
}

void camera_power_off(struct camera *camera) {
    camera->quit = true;
    camera_end(camera, END_ABORT);
    pthread_mutex_unlock(&producer_mutex);
    pthread_join(camera->thread, NULL);
    pthread_mutex_lock(&producer_mutex);
    camera->registers.tl_params_locked = 0;
}

/* ---- acquisition commands ---- */

GC_ERROR camera_start(struct camera *camera) {
    if (camera->acquiring)
        return refuse(GC_ERR_RESOURCE_IN_USE, "an acquisition is already running");
    memset(camera->software_trigger, 0, sizeof camera->software_trigger);
    camera->acquiring = true;
    pthread_cond_broadcast(&camera->changed);
    return GC_ERR_SUCCESS;
}

void camera_end(struct camera *camera, enum camera_ending ending) {
    if (camera->acquiring)
        camera->ending = ending;
    pthread_cond_broadcast(&camera->changed);
    while (camera->acquiring)
        pthread_cond_wait(&camera->changed, &producer_mutex);
}

void camera_trigger(struct camera *camera, uint32_t selector) {
    if (!camera->acquiring)
        return;
    camera->software_trigger[selector] = true;
    pthread_cond_broadcast(&camera->changed);
}

/* ---- what it looks at ---- */

void camera_cut_image(struct camera *camera) {
    struct registers *registers = &camera->registers;
    if (registers->offset_x >= registers->sensor_width)
        registers->offset_x = 0;
    uint32_t room = registers->sensor_width - registers->offset_x;
    if (registers->width > room)
        registers->width = room;
}

void camera_choose_scene(struct camera *camera) {
    scene_choose(&camera->scene, camera->registers.scene_name);
    camera_note_scene(camera);
    camera->registers.sensor_width = scene_sensor_width(&camera->scene);
    camera_cut_image(camera);
    uint64_t now = clock_now_ns(), away_until = scene_away_until(&camera->scene);
    if (away_until > now)
        camera_unplug(camera, CABLE_OUT_UNTIL_CLOSED, (uint32_t)((away_until - now) / NS_PER_MS));
    pthread_cond_broadcast(&camera->changed);
}

void camera_note_scene(struct camera *camera) {
    char *status = camera->registers.scene_status;
    if (strcmp(status, camera->scene.status) == 0)
        return;
    snprintf(status, SCENE_STATUS_SIZE, "%s", camera->scene.status);
    producer_log("%s", status);
}

int64_t camera_position(struct camera *camera) {
    if (camera->acquiring)
        return camera->position;
    const struct scene_view view = scene_look(&camera->scene);
    if (view.motion == MOTION_TIMED) {
        camera->position = scene_rows_at(&view, clock_now_ns());
        camera->turn_lines = view.turn_lines;
    }
    return camera->position;
}

uint32_t camera_line_status(int64_t position, uint32_t turn_lines) {
    int64_t row = position % turn_lines;
    row += row < 0 ? turn_lines : 0;
    uint32_t index = row * 64 < turn_lines, phase = (uint32_t)row & 1u;
    return index | phase << 1u;
}

void camera_wait_until(struct camera *camera, uint64_t time_ns) {
    struct timespec deadline = clock_timespec(time_ns);
    pthread_cond_timedwait(&camera->changed, &producer_mutex, &deadline);
}
