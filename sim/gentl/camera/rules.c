/* One row a register, in the order of its description. */
#include "camera/rules.h"

#include <stddef.h>
#include <string.h>

#include "camera/settings.h"

static write_effect user_set_load_written;

#define FIELD(field)                                                                                                   \
    .address = offsetof(struct registers, field), .size = sizeof(((struct registers *)0)->field)
#define CONSTANT(field, of_kind) FIELD(field), .access = READ_ONLY, .kind = of_kind
#define SIMULATION(field, to, of_kind, from, until)                                                                    \
    FIELD(field), .access = to, .kind = of_kind, .lowest = from, .highest = until
#define COMMAND(field, effect) SIMULATION(field, WRITE_ONLY, WHOLE, 1, 1), .act = effect
#define SELECTOR(field, count) SIMULATION(field, READ_WRITE, WHOLE, 0, (count) - 1)
#define SETTING(field, to, of_kind, from, until) SIMULATION(field, to, of_kind, from, until), .setting = true
#define TRIGGER(selector)                                                                                              \
    {SETTING(triggers[selector].mode, READ_WRITE, WHOLE, 0, 1)},                                                       \
        {SETTING(triggers[selector].source, READ_WRITE, WHOLE, SOURCE_SOFTWARE, SOURCE_ENCODER0)},                     \
        {SETTING(triggers[selector].activation, READ_WRITE, WHOLE, 0, 1)}

static const struct rule rules[] = {
    {CONSTANT(vendor, TEXT)},
    {CONSTANT(model, TEXT)},
    {CONSTANT(serial, TEXT)},
    {CONSTANT(version, TEXT)},
    {CONSTANT(scan_type, WHOLE)},
    {CONSTANT(temperature_c, REAL)},
    {CONSTANT(sensor_width, WHOLE)},
    {SETTING(width, LOCKABLE, WHOLE, 1, SENSOR_WIDTH_MAX), .fits = width_fits},
    {SETTING(height, LOCKABLE, WHOLE, 1, BLOCK_LINES_MAX)},
    {SETTING(offset_x, LOCKABLE, WHOLE, 0, SENSOR_WIDTH_MAX - 1), .fits = offset_x_fits},
    {SETTING(pixel_format, LOCKABLE, WHOLE, PIXEL_MONO8, PIXEL_MONO16), .fits = pixel_format_fits},
    {CONSTANT(payload_size, WHOLE), .compute = payload_size_read},
    {SIMULATION(tl_params_locked, READ_WRITE, WHOLE, 0, 1)},
    {SETTING(chunk_mode_active, LOCKABLE, WHOLE, 0, 1)},
    {SETTING(acquisition_mode, READ_WRITE, WHOLE, MODE_CONTINUOUS, MODE_MULTI_FRAME)},
    {SETTING(acquisition_frame_count, READ_WRITE, WHOLE, 1, 65535)},
    {SETTING(line_rate_hz, READ_WRITE, REAL, 1, 200000)},
    {SETTING(exposure_us, READ_WRITE, REAL, 1, 1000000)},
    {SETTING(gain_db, READ_WRITE, REAL, 0, 24)},
    {SETTING(black_level, READ_WRITE, REAL, 0, 255)},
    {SELECTOR(trigger_selector, TRIGGER_COUNT)},
    TRIGGER(TRIGGER_ACQUISITION_START),
    TRIGGER(TRIGGER_FRAME_START),
    TRIGGER(TRIGGER_LINE_START),
    {SIMULATION(fault, READ_WRITE, WHOLE, FAULT_NONE, FAULT_COUNT - 1), .act = fault_written},
    {SIMULATION(fault_block, READ_WRITE, WHOLE, 1, UINT32_MAX)},
    {SIMULATION(fault_lines, READ_WRITE, WHOLE, 0, BLOCK_LINES_MAX)},
    {SIMULATION(fault_time_ms, READ_WRITE, WHOLE, 0, UINT32_MAX)},
    {SIMULATION(scene_name, LOCKABLE, TEXT, 0, 0), .act = scene_written},
    {CONSTANT(scene_status, TEXT)},
    {COMMAND(start, start_written)},
    {COMMAND(stop, stop_written)},
    {COMMAND(abort_now, abort_written)},
    {COMMAND(trigger_software, trigger_software_written)},
    {SETTING(encoder_divider, READ_WRITE, WHOLE, 1, 65535)},
    {COMMAND(encoder_reset, encoder_reset_written)},
    {CONSTANT(encoder_value, WHOLE), .compute = encoder_value_read},
    {CONSTANT(resulting_line_rate_hz, REAL), .compute = resulting_line_rate_read},
    {CONSTANT(line_status_all, WHOLE), .compute = line_status_read},
    {COMMAND(device_reset, device_reset_written)},
    {SELECTOR(chunk_selector, CHUNK_COUNT)},
    {SETTING(chunk_enable[CHUNK_FRAME_ID], LOCKABLE, WHOLE, 0, 1)},
    {SETTING(chunk_enable[CHUNK_ENCODER], LOCKABLE, WHOLE, 0, 1)},
    {SETTING(chunk_enable[CHUNK_LINE_STATUS], LOCKABLE, WHOLE, 0, 1)},
    {SELECTOR(user_set_selector, USER_SET_COUNT)},
    {SELECTOR(user_set_default, USER_SET_COUNT), .act = user_set_default_written},
    {SIMULATION(user_set_load, LOCKABLE, WHOLE, 1, 1), .act = user_set_load_written},
    {COMMAND(user_set_save, user_set_save_written)},
    {CONSTANT(timestamp_ns, WHOLE), .compute = timestamp_read},
    {SIMULATION(user_id, READ_WRITE, TEXT, 0, 0), .act = user_id_written},
    {SIMULATION(nominal_exposure_us, READ_WRITE, REAL, 1, 1000000)},
    {SIMULATION(noise, READ_WRITE, REAL, 0, 64)},
    {SIMULATION(noise_seed, READ_WRITE, WHOLE, 0, UINT32_MAX), .act = noise_seed_written},
    {SIMULATION(hang_call, READ_WRITE, WHOLE, 0, CALL_COUNT - 1)},
    {SIMULATION(big_endian, LOCKABLE, WHOLE, 0, 1)},
    {SIMULATION(next_frame_id, LOCKABLE, WHOLE, 0, FRAME_ID_LAST)},
};
enum { RULE_COUNT = sizeof rules / sizeof *rules };

const struct rule *rule_at(uint64_t address) {
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (rules[i].address == address)
            return &rules[i];
    return NULL;
}

static void copy_settings(struct registers *to, const struct registers *from) {
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (rules[i].setting)
            memcpy((char *)to + rules[i].address, (const char *)from + rules[i].address, rules[i].size);
}

void user_set_load(struct registers *registers, const struct flash *flash, uint32_t user_set) {
    const struct registers factory = settings_factory();
    copy_settings(registers, flash->saved[user_set] ? &flash->user_sets[user_set] : &factory);
}

static GC_ERROR user_set_load_written(struct camera *camera) {
    user_set_load(&camera->registers, &camera->flash, camera->registers.user_set_selector);
    camera_cut_image(camera);
    return GC_ERR_SUCCESS;
}
