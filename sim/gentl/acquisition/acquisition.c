/* Blocks until it is stopped, or until there are as many as were wanted. */
#include "acquisition/acquisition.h"

#include "base/clock.h"
#include "camera/settings.h"

static enum line_start line_start_of(const struct registers *registers) {
    const struct trigger *trigger = &registers->triggers[TRIGGER_LINE_START];
    if (!trigger->mode)
        return LINES_BY_CLOCK;
    return trigger->source == SOURCE_SOFTWARE ? LINES_BY_SOFTWARE : LINES_BY_JIG;
}

static struct acquisition prepare(struct camera *camera) {
    const struct registers *registers = &camera->registers;
    uint64_t blocks = registers->acquisition_mode == MODE_SINGLE_FRAME  ? 1
                      : registers->acquisition_mode == MODE_MULTI_FRAME ? registers->acquisition_frame_count
                                                                        : UINT64_MAX;
    bool index_lines = registers->triggers[TRIGGER_LINE_START].source == SOURCE_LINE0;
    return (struct acquisition){.camera = camera,
                                .exposure = {.scene = &camera->scene,
                                             .pixels = pixels_of(registers, camera->acquisitions++),
                                             .start = line_start_of(registers),
                                             .line_ns = (double)NS_PER_S / registers_line_rate_hz(registers),
                                             .pulse_rows = index_lines ? 0 : registers->encoder_divider},
                                .height = registers->height,
                                .chunks = registers_chunks(registers),
                                .blocks = blocks};
}

void acquisition_run(struct camera *camera) {
    struct acquisition acquisition = prepare(camera);
    bool running = trigger_await(&acquisition, TRIGGER_ACQUISITION_START);
    for (uint64_t frame_id = 1; running && frame_id <= acquisition.blocks; frame_id++) {
        if (!trigger_await(&acquisition, TRIGGER_FRAME_START))
            return;
        struct scene_view view = acquisition_await_view(&acquisition);
        const struct hit hit = faults_take(camera, &view, frame_id);
        if (hit.fault == FAULT_HANG)
            view = acquisition_await_view(&acquisition);
        if (!acquisition_ended(&acquisition))
            block_await(&acquisition, frame_id, &hit, view.pace);
        running = !acquisition_ended(&acquisition);
    }
}
