/* A camera comes up with what it keeps without power. */
#include "camera/cable.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "camera/rules.h"
#include "camera/settings.h"

static void power_up(struct registers *registers, const struct flash *flash, const char *serial) {
    *registers = settings_factory();
    snprintf(registers->serial, sizeof registers->serial, "%s", serial);
    memcpy(registers->user_id, flash->user_id, USER_ID_SIZE);
    registers->user_set_default = flash->user_set_default;
    user_set_load(registers, flash, flash->user_set_default);
}

void camera_plug_in(struct camera *camera) {
    power_up(&camera->registers, &camera->flash, camera->serial);
    camera->cable = CABLE_IN;
    camera->hung = false;
    camera->acquisitions = 0;
    camera->position = camera->encoder_zero = 0;
    camera->turn_lines = 1;
    camera_choose_scene(camera);
    camera_tell_change(camera);
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
