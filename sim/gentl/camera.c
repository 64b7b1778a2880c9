/* The camera's life: power, acquisition commands, cable. */
#include "camera.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"

void camera_plug_in(struct camera *camera) {
    registers_reset(&camera->registers, camera->serial);
    camera->cable = CABLE_IN;
    camera->hung = false;
    camera_choose_scene(camera);
    pthread_cond_broadcast(&camera->changed);
}

static void *serve(void *argument) {
    struct camera *camera = argument;
    pthread_mutex_lock(&producer_mutex);
    while (!camera->quit) {
        if (!camera->acquiring) {
            pthread_cond_wait(&camera->changed, &producer_mutex);
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

void camera_choose_scene(struct camera *camera) {
    struct registers *registers = &camera->registers;
    scene_choose(&camera->scene, registers->scene_name);
    camera_note_scene(camera);
    registers->sensor_width = scene_sensor_width(&camera->scene);
    if (registers->offset_x >= registers->sensor_width)
        registers->offset_x = 0;
    uint32_t room = registers->sensor_width - registers->offset_x;
    if (registers->width > room)
        registers->width = room;
}

void camera_note_scene(struct camera *camera) {
    char *status = camera->registers.scene_status;
    if (strcmp(status, camera->scene.status) == 0)
        return;
    snprintf(status, SCENE_STATUS_SIZE, "%s", camera->scene.status);
    producer_log("%s", status);
}

void camera_unplug(struct camera *camera, enum cable cable) {
    camera->cable = cable;
    pthread_cond_broadcast(&camera->changed);
}

void camera_wait_until(struct camera *camera, uint64_t time_ns) {
    struct timespec deadline = clock_timespec(time_ns);
    pthread_cond_timedwait(&camera->changed, &producer_mutex, &deadline);
}
