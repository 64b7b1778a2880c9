/* What is done to a camera: commands, unplugging, choosing what it looks at. */
#include "camera/camera.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/producer.h"

/* ---- changes ---- */

void camera_tell_change(struct camera *camera) {
    pthread_cond_broadcast(&camera->changed);
}

void camera_await_change(struct camera *camera) {
    pthread_cond_wait(&camera->changed, &producer_mutex);
}

void camera_wait_until(struct camera *camera, uint64_t time_ns) {
    struct timespec deadline = clock_timespec(time_ns);
    pthread_cond_timedwait(&camera->changed, &producer_mutex, &deadline);
}

void camera_unplug(struct camera *camera, enum cable cable, uint32_t away_ms) {
    camera->cable = cable;
    camera->back_ns = clock_now_ns() + away_ms * NS_PER_MS;
    camera_tell_change(camera);
}

/* ---- acquisition commands ---- */

GC_ERROR camera_start(struct camera *camera) {
    if (camera->acquiring)
        return refuse(GC_ERR_RESOURCE_IN_USE, "an acquisition is already running");
    memset(camera->software_trigger, 0, sizeof camera->software_trigger);
    camera->acquiring = true;
    camera_tell_change(camera);
    return GC_ERR_SUCCESS;
}

void camera_end(struct camera *camera, enum camera_ending ending) {
    if (camera->acquiring)
        camera->ending = ending;
    camera_tell_change(camera);
    while (camera->acquiring)
        camera_await_change(camera);
}

void camera_trigger(struct camera *camera, uint32_t selector) {
    if (!camera->acquiring)
        return;
    camera->software_trigger[selector] = true;
    camera_tell_change(camera);
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
    camera_tell_change(camera);
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
