/* The register map's rules: who may write what, when, and which values. */
#include "registers.h"

#include <string.h>

#include "camera.h"
#include "clock.h"

enum access { READ_ONLY, WRITE_ONLY, READ_WRITE, LOCKABLE /* READ_WRITE, but not while images stream */ };
enum kind { TEXT, WHOLE, REAL };

struct rule {
    uint32_t address, size;
    enum access access;
    enum kind kind;
    double lowest, highest; /* numbers only */
    bool setting;           /* user sets hold it */
};

#define FIELD(field) offsetof(struct registers, field), sizeof(((struct registers *)0)->field)
#define CONSTANT(field, kind) {FIELD(field), READ_ONLY, kind, 0, 0, false}
#define COMMAND(field) {FIELD(field), WRITE_ONLY, WHOLE, 1, 1, false}
#define SIMULATION(field, access, kind, lowest, highest) {FIELD(field), access, kind, lowest, highest, false}
#define SELECTOR(field, count) {FIELD(field), READ_WRITE, WHOLE, 0, (count) - 1, false}
#define SETTING(field, access, kind, lowest, highest) {FIELD(field), access, kind, lowest, highest, true}
#define TRIGGER(selector)                                                                                              \
    SETTING(triggers[selector].mode, READ_WRITE, WHOLE, 0, 1),                                                         \
        SETTING(triggers[selector].source, READ_WRITE, WHOLE, SOURCE_SOFTWARE, SOURCE_ENCODER0),                       \
        SETTING(triggers[selector].activation, READ_WRITE, WHOLE, 0, 1)

static const struct rule rules[] = {
    CONSTANT(vendor, TEXT),
    CONSTANT(model, TEXT),
    CONSTANT(serial, TEXT),
    CONSTANT(version, TEXT),
    CONSTANT(scan_type, WHOLE),
    CONSTANT(temperature_c, REAL),
    CONSTANT(sensor_width, WHOLE),
    SETTING(width, LOCKABLE, WHOLE, 1, SENSOR_WIDTH_MAX),
    SETTING(height, LOCKABLE, WHOLE, 1, BLOCK_LINES_MAX),
    SETTING(offset_x, LOCKABLE, WHOLE, 0, SENSOR_WIDTH_MAX - 1),
    SETTING(pixel_format, LOCKABLE, WHOLE, PIXEL_MONO8, PIXEL_MONO16),
    CONSTANT(payload_size, WHOLE),
    SIMULATION(tl_params_locked, READ_WRITE, WHOLE, 0, 1),
    SETTING(chunk_mode_active, LOCKABLE, WHOLE, 0, 1),
    SETTING(acquisition_mode, READ_WRITE, WHOLE, MODE_CONTINUOUS, MODE_MULTI_FRAME),
    SETTING(acquisition_frame_count, READ_WRITE, WHOLE, 1, 65535),
    SETTING(line_rate_hz, READ_WRITE, REAL, 1, 200000),
    SETTING(exposure_us, READ_WRITE, REAL, 1, 1000000),
    SETTING(gain_db, READ_WRITE, REAL, 0, 24),
    SETTING(black_level, READ_WRITE, REAL, 0, 255),
    SELECTOR(trigger_selector, TRIGGER_COUNT),
    TRIGGER(TRIGGER_ACQUISITION_START),
    TRIGGER(TRIGGER_FRAME_START),
    TRIGGER(TRIGGER_LINE_START),
    SIMULATION(fault, READ_WRITE, WHOLE, FAULT_NONE, FAULT_COUNT - 1),
    SIMULATION(fault_block, READ_WRITE, WHOLE, 1, UINT32_MAX),
    SIMULATION(fault_lines, READ_WRITE, WHOLE, 0, BLOCK_LINES_MAX),
    SIMULATION(fault_time_ms, READ_WRITE, WHOLE, 0, UINT32_MAX),
    SIMULATION(scene_name, LOCKABLE, TEXT, 0, 0),
    CONSTANT(scene_status, TEXT),
    COMMAND(start),
    COMMAND(stop),
    COMMAND(abort_now),
    COMMAND(trigger_software),
    SETTING(encoder_divider, READ_WRITE, WHOLE, 1, 65535),
    COMMAND(encoder_reset),
    CONSTANT(encoder_value, WHOLE),
    CONSTANT(resulting_line_rate_hz, REAL),
    CONSTANT(line_status_all, WHOLE),
    COMMAND(device_reset),
    SELECTOR(chunk_selector, CHUNK_COUNT),
    SETTING(chunk_enable[CHUNK_FRAME_ID], LOCKABLE, WHOLE, 0, 1),
    SETTING(chunk_enable[CHUNK_ENCODER], LOCKABLE, WHOLE, 0, 1),
    SETTING(chunk_enable[CHUNK_LINE_STATUS], LOCKABLE, WHOLE, 0, 1),
    SELECTOR(user_set_selector, USER_SET_COUNT),
    SELECTOR(user_set_default, USER_SET_COUNT),
    {FIELD(user_set_load), LOCKABLE, WHOLE, 1, 1, false},
    COMMAND(user_set_save),
    CONSTANT(timestamp_ns, WHOLE),
    SIMULATION(user_id, READ_WRITE, TEXT, 0, 0),
    SIMULATION(nominal_exposure_us, READ_WRITE, REAL, 1, 1000000),
    SIMULATION(noise, READ_WRITE, REAL, 0, 64),
    SIMULATION(noise_seed, READ_WRITE, WHOLE, 0, UINT32_MAX),
    SIMULATION(hang_call, READ_WRITE, WHOLE, 0, CALL_COUNT - 1),
    SIMULATION(big_endian, LOCKABLE, WHOLE, 0, 1),
    SIMULATION(next_frame_id, LOCKABLE, WHOLE, 0, FRAME_ID_LAST),
};
enum { RULE_COUNT = sizeof rules / sizeof *rules };

static const struct rule *find_rule(uint64_t address) {
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (rules[i].address == address)
            return &rules[i];
    return NULL;
}

void registers_copy_settings(struct registers *to, const struct registers *from) {
    for (size_t i = 0; i < RULE_COUNT; i++)
        if (rules[i].setting)
            memcpy((char *)to + rules[i].address, (const char *)from + rules[i].address, rules[i].size);
}

/* ---- reading ---- */

/* Registers whose values are computed when they are read. */
static void compute(struct camera *camera, uint64_t address) {
    struct registers *registers = &camera->registers;
    switch (address) {
    case offsetof(struct registers, payload_size):
        registers->payload_size = (uint32_t)registers_payload_size(registers);
        break;
    case offsetof(struct registers, encoder_value):
        registers->encoder_value = camera_position(camera) - camera->encoder_zero;
        break;
    case offsetof(struct registers, line_status_all):
        registers->line_status_all = camera_line_status(camera_position(camera), camera->turn_lines);
        break;
    case offsetof(struct registers, resulting_line_rate_hz):
        registers->resulting_line_rate_hz = registers_line_rate_hz(registers);
        break;
    case offsetof(struct registers, timestamp_ns):
        registers->timestamp_ns = clock_now_ns();
        break;
    default:
        break;
    }
}

GC_ERROR registers_read(struct camera *camera, uint64_t address, void *value, size_t size) {
    const struct rule *rule = find_rule(address);
    if (!rule || size > rule->size)
        return refuse(GC_ERR_INVALID_ADDRESS, "no register of %zu bytes at 0x%llx", size, (unsigned long long)address);
    if (rule->access == WRITE_ONLY)
        return refuse(GC_ERR_ACCESS_DENIED, "the register at 0x%llx is write only", (unsigned long long)address);
    compute(camera, address);
    memcpy(value, (const char *)&camera->registers + address, size);
    return GC_ERR_SUCCESS;
}

/* ---- writing ---- */

static bool in_range(const struct rule *rule, const void *value) {
    double number = 0;
    if (rule->kind == WHOLE) {
        uint32_t whole;
        memcpy(&whole, value, sizeof whole);
        number = whole;
    } else if (rule->kind == REAL) {
        memcpy(&number, value, sizeof number);
    }
    return rule->kind == TEXT || (number >= rule->lowest && number <= rule->highest);
}

/* Ranges that depend on other registers. */
static bool fits(const struct registers *now, uint64_t address, const void *value) {
    uint32_t number;
    memcpy(&number, value, sizeof number);
    switch (address) {
    case offsetof(struct registers, width):
        return number <= now->sensor_width - now->offset_x;
    case offsetof(struct registers, offset_x):
        return number <= now->sensor_width - now->width;
    case offsetof(struct registers, pixel_format):
        return number == PIXEL_MONO8 || number == PIXEL_MONO12 || number == PIXEL_MONO16;
    default:
        return true;
    }
}

static GC_ERROR check_write(const struct camera *camera, const struct rule *rule, const void *value, size_t size) {
    unsigned address = rule->address;
    if (rule->access == READ_ONLY)
        return refuse(GC_ERR_ACCESS_DENIED, "the register at 0x%x is read only", address);
    if (rule->access == LOCKABLE && (camera->acquiring || camera->registers.tl_params_locked))
        return refuse(GC_ERR_ACCESS_DENIED, "the register at 0x%x is locked while images stream", address);
    if (rule->kind == TEXT ? !memchr(value, 0, size) : size != rule->size)
        return refuse(GC_ERR_INVALID_VALUE, "%zu bytes do not fit the register at 0x%x", size, address);
    if (!in_range(rule, value) || (rule->kind == WHOLE && !fits(&camera->registers, address, value)))
        return refuse(GC_ERR_INVALID_VALUE, "the value for the register at 0x%x is out of range", address);
    return GC_ERR_SUCCESS;
}

static GC_ERROR load_user_set(struct camera *camera) {
    GC_ERROR result = settings_load(&camera->registers, &camera->flash, camera->registers.user_set_selector);
    camera_cut_image(camera);
    return result;
}

/* What a write does to the camera beyond being kept. */
static GC_ERROR act(struct camera *camera, uint64_t address) {
    switch (address) {
    case offsetof(struct registers, start):
        return camera_start(camera);
    case offsetof(struct registers, stop):
        camera_end(camera, END_STOP);
        break;
    case offsetof(struct registers, abort_now):
        camera_end(camera, END_ABORT);
        break;
    case offsetof(struct registers, trigger_software):
        camera_trigger(camera, camera->registers.trigger_selector);
        break;
    case offsetof(struct registers, encoder_reset):
        camera->encoder_zero = camera_position(camera);
        break;
    case offsetof(struct registers, device_reset):
        camera_unplug(camera, CABLE_OUT_UNTIL_CLOSED, camera->registers.fault_time_ms);
        break;
    case offsetof(struct registers, user_set_load):
        return load_user_set(camera);
    case offsetof(struct registers, user_set_save):
        return settings_save(&camera->registers, &camera->flash, camera->registers.user_set_selector);
    default:
        break;
    }
    return GC_ERR_SUCCESS;
}

/* What a write does to what is remembered besides the registers. */
static void note(struct camera *camera, uint64_t address) {
    switch (address) {
    case offsetof(struct registers, user_set_default):
        camera->flash.user_set_default = camera->registers.user_set_default;
        break;
    case offsetof(struct registers, user_id):
        memcpy(camera->flash.user_id, camera->registers.user_id, USER_ID_SIZE);
        break;
    case offsetof(struct registers, scene_name):
        camera_choose_scene(camera);
        break;
    case offsetof(struct registers, noise_seed):
        camera->acquisitions = 0;
        break;
    case offsetof(struct registers, fault):
        faults_changed(camera);
        break;
    default:
        break;
    }
}

GC_ERROR registers_write(struct camera *camera, uint64_t address, const void *value, size_t size) {
    const struct rule *rule = find_rule(address);
    if (!rule || size > rule->size)
        return refuse(GC_ERR_INVALID_ADDRESS, "no register of %zu bytes at 0x%llx", size, (unsigned long long)address);
    GC_ERROR checked = check_write(camera, rule, value, size);
    if (checked)
        return checked;
    char *target = (char *)&camera->registers + address;
    memset(target, 0, rule->size);
    memcpy(target, value, size);
    note(camera, address);
    return act(camera, address);
}
