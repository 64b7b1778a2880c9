/* The register map's rules: who may write what, when, and which values. */
#include "registers.h"

#include <stdio.h>
#include <string.h>

#include "camera.h"

enum access { READ_ONLY, WRITE_ONLY, READ_WRITE, LOCKABLE /* READ_WRITE, but not while images stream */ };
enum kind { TEXT, WHOLE, REAL };

struct rule {
    uint32_t address, size;
    enum access access;
    enum kind kind;
    double lowest, highest; /* numbers only */
};

#define REGISTER(field, access, kind, lowest, highest)                                                                 \
    {offsetof(struct registers, field), sizeof(((struct registers *)0)->field), access, kind, lowest, highest}
#define TRIGGER(selector)                                                                                              \
    REGISTER(triggers[selector].mode, READ_WRITE, WHOLE, 0, 1),                                                        \
        REGISTER(triggers[selector].source, READ_WRITE, WHOLE, SOURCE_SOFTWARE, SOURCE_ENCODER0),                      \
        REGISTER(triggers[selector].activation, READ_WRITE, WHOLE, 0, 1)

static const struct rule rules[] = {
    REGISTER(vendor, READ_ONLY, TEXT, 0, 0),
    REGISTER(model, READ_ONLY, TEXT, 0, 0),
    REGISTER(serial, READ_ONLY, TEXT, 0, 0),
    REGISTER(version, READ_ONLY, TEXT, 0, 0),
    REGISTER(scan_type, READ_ONLY, WHOLE, 0, 0),
    REGISTER(temperature_c, READ_ONLY, REAL, 0, 0),
    REGISTER(sensor_width, READ_ONLY, WHOLE, 0, 0),
    REGISTER(width, LOCKABLE, WHOLE, 1, SENSOR_WIDTH_MAX),
    REGISTER(height, LOCKABLE, WHOLE, 1, BLOCK_LINES_MAX),
    REGISTER(offset_x, LOCKABLE, WHOLE, 0, SENSOR_WIDTH_MAX - 1),
    REGISTER(pixel_format, LOCKABLE, WHOLE, PIXEL_MONO8, PIXEL_MONO16),
    REGISTER(payload_size, READ_ONLY, WHOLE, 0, 0),
    REGISTER(tl_params_locked, READ_WRITE, WHOLE, 0, 1),
    REGISTER(chunk_mode_active, LOCKABLE, WHOLE, 0, 1),
    REGISTER(acquisition_mode, READ_WRITE, WHOLE, MODE_CONTINUOUS, MODE_MULTI_FRAME),
    REGISTER(acquisition_frame_count, READ_WRITE, WHOLE, 1, 65535),
    REGISTER(line_rate_hz, READ_WRITE, REAL, 1, 200000),
    REGISTER(exposure_us, READ_WRITE, REAL, 1, 1000000),
    REGISTER(gain_db, READ_WRITE, REAL, 0, 24),
    REGISTER(black_level, READ_WRITE, REAL, 0, 255),
    REGISTER(trigger_selector, READ_WRITE, WHOLE, 0, TRIGGER_COUNT - 1),
    TRIGGER(TRIGGER_ACQUISITION_START),
    TRIGGER(TRIGGER_FRAME_START),
    TRIGGER(TRIGGER_LINE_START),
    REGISTER(fault, READ_WRITE, WHOLE, FAULT_NONE, FAULT_COUNT - 1),
    REGISTER(fault_block, READ_WRITE, WHOLE, 1, UINT32_MAX),
    REGISTER(fault_lines, READ_WRITE, WHOLE, 0, BLOCK_LINES_MAX),
    REGISTER(scene_name, LOCKABLE, TEXT, 0, 0),
    REGISTER(scene_status, READ_ONLY, TEXT, 0, 0),
    REGISTER(start, WRITE_ONLY, WHOLE, 1, 1),
    REGISTER(stop, WRITE_ONLY, WHOLE, 1, 1),
    REGISTER(abort_now, WRITE_ONLY, WHOLE, 1, 1),
    REGISTER(trigger_software, WRITE_ONLY, WHOLE, 1, 1),
};

void registers_reset(struct registers *registers, const char *serial) {
    *registers = (struct registers){.vendor = PRODUCER_VENDOR,
                                    .model = PRODUCER_MODEL,
                                    .version = PRODUCER_VERSION,
                                    .scan_type = 1,
                                    .temperature_c = 41.5,
                                    .sensor_width = SENSOR_WIDTH_DEFAULT,
                                    .width = SENSOR_WIDTH_DEFAULT,
                                    .height = 448,
                                    .pixel_format = PIXEL_MONO8,
                                    .acquisition_frame_count = 8,
                                    .line_rate_hz = 20000,
                                    .exposure_us = 40,
                                    .fault_block = 1};
    snprintf(registers->serial, sizeof registers->serial, "%s", serial);
    for (int i = 0; i < TRIGGER_COUNT; i++)
        registers->triggers[i].source = SOURCE_LINE0;
}

size_t pixel_size(uint32_t pixel_format) {
    return pixel_format == PIXEL_MONO8 ? 1 : 2;
}

size_t registers_payload_size(const struct registers *registers) {
    size_t image = (size_t)registers->width * registers->height * pixel_size(registers->pixel_format);
    return image + (registers->chunk_mode_active ? CHUNK_BYTES : 0);
}

static const struct rule *find_rule(uint64_t address) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].address == address)
            return &rules[i];
    return NULL;
}

GC_ERROR registers_read(struct camera *camera, uint64_t address, void *value, size_t size) {
    const struct rule *rule = find_rule(address);
    if (!rule || size > rule->size)
        return refuse(GC_ERR_INVALID_ADDRESS, "no register of %zu bytes at 0x%llx", size, (unsigned long long)address);
    if (rule->access == WRITE_ONLY)
        return refuse(GC_ERR_ACCESS_DENIED, "the register at 0x%llx is write only", (unsigned long long)address);
    camera->registers.payload_size = (uint32_t)registers_payload_size(&camera->registers);
    memcpy(value, (const char *)&camera->registers + address, size);
    return GC_ERR_SUCCESS;
}

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
    if (address == offsetof(struct registers, triggers[TRIGGER_LINE_START].mode) && *(const char *)value)
        return refuse(GC_ERR_NOT_IMPLEMENTED, "lines follow AcquisitionLineRate, there is no LineStart trigger");
    if (!in_range(rule, value) || (rule->kind == WHOLE && !fits(&camera->registers, address, value)))
        return refuse(GC_ERR_INVALID_VALUE, "the value for the register at 0x%x is out of range", address);
    return GC_ERR_SUCCESS;
}

/* What a write does beyond being kept. */
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
    case offsetof(struct registers, scene_name):
        camera_choose_scene(camera);
        break;
    case offsetof(struct registers, fault):
        faults_changed(camera);
        break;
    default:
        break;
    }
    return GC_ERR_SUCCESS;
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
    return act(camera, address);
}
