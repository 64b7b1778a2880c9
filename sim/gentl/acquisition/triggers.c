/* Waiting for what starts an acquisition or a block: a command, the jig's index, its encoder. */
#include "acquisition/acquisition.h"
#include "base/clock.h"

static const uint64_t LOOK_NS = 1 * NS_PER_MS; /* how often a waiting camera looks at the scene */

static bool begin(struct acquisition *acquisition, const struct scene_view *view, uint64_t origin_ns, bool at_index) {
    exposure_begin(&acquisition->exposure, view, origin_ns, at_index);
    return !acquisition_ended(acquisition);
}

static bool await_software(struct acquisition *acquisition, enum trigger_selector selector) {
    struct camera *camera = acquisition->camera;
    while (!acquisition_ended(acquisition) && !camera->software_trigger[selector]) {
        acquisition_await_view(acquisition);
        if (!camera->software_trigger[selector])
            camera_wait_until(camera, clock_now_ns() + 5 * LOOK_NS);
    }
    camera->software_trigger[selector] = false;
    const struct scene_view view = acquisition_await_view(acquisition);
    return begin(acquisition, &view, clock_now_ns(), false);
}

/* Waits for the jig's next pulse: its index, or its encoder's, one a row. The lines begin at the pulse's own computed
 * time, not at the time at which it was noticed. */
static bool await_jig(struct acquisition *acquisition, uint32_t source) {
    const bool index = source == SOURCE_LINE0;
    uint64_t since = clock_now_ns();
    while (!acquisition_ended(acquisition)) {
        const struct scene_view view = acquisition_await_view(acquisition);
        uint64_t now = clock_now_ns();
        uint64_t pulse = UINT64_MAX;
        if (view.motion == MOTION_STEPPED)
            pulse = now;
        else if (view.motion == MOTION_TIMED)
            pulse = scene_pulse_after(&view, index ? 1 : view.turn_lines, since);
        if (pulse <= now)
            return begin(acquisition, &view, pulse, index);
        since = now;
        camera_wait_until(acquisition->camera, pulse < now + LOOK_NS ? pulse : now + LOOK_NS);
    }
    return false;
}

bool trigger_await(struct acquisition *acquisition, enum trigger_selector selector) {
    const struct trigger *trigger = &acquisition->camera->registers.triggers[selector];
    if (trigger->mode)
        return trigger->source == SOURCE_SOFTWARE ? await_software(acquisition, selector)
                                                  : await_jig(acquisition, trigger->source);
    if (selector != TRIGGER_ACQUISITION_START)
        return !acquisition_ended(acquisition);
    const struct scene_view view = acquisition_await_view(acquisition);
    return begin(acquisition, &view, clock_now_ns(), false);
}
