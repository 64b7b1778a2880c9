/* Computed values, ranges that depend on other registers, commands. */
#include "camera/effects.h"

#include <string.h>

#include "base/clock.h"
#include "camera/settings.h"

/* ---- before reading ---- */

void payload_size_read(struct camera *camera) {
    camera->registers.payload_size = (uint32_t)registers_payload_size(&camera->registers);
}

void encoder_value_read(struct camera *camera) {
    camera->registers.encoder_value = camera_position(camera) - camera->encoder_zero;
}

void resulting_line_rate_read(struct camera *camera) {
    camera->registers.resulting_line_rate_hz = registers_line_rate_hz(&camera->registers);
}

void line_status_read(struct camera *camera) {
    camera->registers.line_status_all = camera_line_status(camera_position(camera), camera->turn_lines);
}

void timestamp_read(struct camera *camera) {
    camera->registers.timestamp_ns = clock_now_ns();
}

/* ---- before writing ---- */

bool width_fits(const struct registers *now, uint32_t number) {
    return number <= now->sensor_width - now->offset_x;
}

bool offset_x_fits(const struct registers *now, uint32_t number) {
    return number <= now->sensor_width - now->width;
}

bool pixel_format_fits(const struct registers *now, uint32_t number) {
    (void)now;
    return number == PIXEL_MONO8 || number == PIXEL_MONO12 || number == PIXEL_MONO16;
}

/* ---- after writing: commands ---- */

GC_ERROR start_written(struct camera *camera) {
    return camera_start(camera);
}

GC_ERROR stop_written(struct camera *camera) {
    camera_end(camera, END_STOP);
    return GC_ERR_SUCCESS;
}

GC_ERROR abort_written(struct camera *camera) {
    camera_end(camera, END_ABORT);
    return GC_ERR_SUCCESS;
}

GC_ERROR trigger_software_written(struct camera *camera) {
    camera_trigger(camera, camera->registers.trigger_selector);
    return GC_ERR_SUCCESS;
}

GC_ERROR encoder_reset_written(struct camera *camera) {
    camera->encoder_zero = camera_position(camera);
    return GC_ERR_SUCCESS;
}

GC_ERROR device_reset_written(struct camera *camera) {
    camera_unplug(camera, CABLE_OUT_UNTIL_CLOSED, camera->registers.fault_time_ms);
    return GC_ERR_SUCCESS;
}

GC_ERROR user_set_save_written(struct camera *camera) {
    return settings_save(&camera->registers, &camera->flash, camera->registers.user_set_selector);
}

/* ---- after writing: what is remembered besides the registers ---- */

GC_ERROR user_set_default_written(struct camera *camera) {
    camera->flash.user_set_default = camera->registers.user_set_default;
    return GC_ERR_SUCCESS;
}

GC_ERROR user_id_written(struct camera *camera) {
    memcpy(camera->flash.user_id, camera->registers.user_id, USER_ID_SIZE);
    return GC_ERR_SUCCESS;
}

GC_ERROR scene_written(struct camera *camera) {
    camera_choose_scene(camera);
    return GC_ERR_SUCCESS;
}

GC_ERROR noise_seed_written(struct camera *camera) {
    camera->acquisitions = 0;
    return GC_ERR_SUCCESS;
}

GC_ERROR fault_written(struct camera *camera) {
    faults_changed(camera);
    return GC_ERR_SUCCESS;
}
