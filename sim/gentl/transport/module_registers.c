/* System, interface, device and stream as they are at this moment. */
#include "transport/module_registers.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/handles.h"
#include "base/producer.h"
#include "camera/settings.h"
#include "stream/stream.h"
#include "transport/device.h"
#include "transport/interface.h"
#include "transport/module_layouts.h"

union module_registers {
    struct system_registers system;
    struct interface_registers interface;
    struct device_registers device;
    struct stream_registers stream;
};

static struct system_registers of_system(void) {
    struct system_registers registers = {.id = SYSTEM_ID,
                                         .vendor = PRODUCER_VENDOR,
                                         .model = PRODUCER_MODEL,
                                         .version = PRODUCER_VERSION,
                                         .interface_id = INTERFACE_ID,
                                         .version_major = 1,
                                         .version_minor = 5};
    snprintf(registers.path, sizeof registers.path, "%s", producer_path());
    return registers;
}

/* An item of device_info as text or number; empty when there is no device. */
static void fill_info(struct camera *camera, DEVICE_INFO_CMD command, void *target, size_t size) {
    if (camera)
        device_info(camera, command, (struct answer){NULL, target, &size});
}

static struct interface_registers of_interface(void) {
    const uint32_t count = interface_device_count();
    const uint32_t last = count ? count - 1 : 0;
    const uint32_t selector = producer.device_selector < last ? producer.device_selector : last;
    struct interface_registers registers = {
        .id = INTERFACE_ID, .selector = selector, .selector_max = last, .available = count > 0};
    struct camera *camera = interface_device(selector);
    fill_info(camera, DEVICE_INFO_ID, registers.device_id, NAME_SIZE);
    fill_info(camera, DEVICE_INFO_VENDOR, registers.vendor, NAME_SIZE);
    fill_info(camera, DEVICE_INFO_MODEL, registers.model, NAME_SIZE);
    fill_info(camera, DEVICE_INFO_SERIAL_NUMBER, registers.serial, NAME_SIZE);
    fill_info(camera, DEVICE_INFO_ACCESS_STATUS, &registers.access_status, sizeof registers.access_status);
    return registers;
}

static struct device_registers of_device(struct camera *camera) {
    struct device_registers registers = {.selector_max = 0};
    fill_info(camera, DEVICE_INFO_ID, registers.id, NAME_SIZE);
    fill_info(camera, DEVICE_INFO_ID, registers.stream_id, NAME_SIZE);
    fill_info(camera, DEVICE_INFO_VENDOR, registers.vendor, NAME_SIZE);
    fill_info(camera, DEVICE_INFO_MODEL, registers.model, NAME_SIZE);
    fill_info(camera, DEVICE_INFO_SERIAL_NUMBER, registers.serial, NAME_SIZE);
    fill_info(camera, DEVICE_INFO_ACCESS_STATUS, &registers.access_status, sizeof registers.access_status);
    return registers;
}

static struct stream_registers of_stream(const struct stream *stream) {
    struct stream_registers registers = {.announced = stream->announced_count,
                                         .announce_min = BUFFERS_MIN,
                                         .delivered = stream->delivered,
                                         .lost = stream->underruns,
                                         .input = stream->input.length + (stream->filling ? 1 : 0),
                                         .output = stream->output.length,
                                         .started = stream->started,
                                         .payload_size = registers_payload_size(&stream->camera->registers),
                                         .chunk_count_max = CHUNK_COUNT,
                                         .alignment = 1,
                                         .grabbing = stream->grabbing};
    snprintf(registers.id, sizeof registers.id, "%s", stream->camera->id);
    return registers;
}

/* The registers of a module as they are now; their size, 0 for a module that has none. */
static size_t look_up(PORT_HANDLE port, union module_registers *registers) {
    enum module_kind kind = handle_kind(port);
    void *object = handle_object(port, kind);
    switch (kind) {
    case MODULE_SYSTEM:
        registers->system = of_system();
        return sizeof registers->system;
    case MODULE_INTERFACE:
        registers->interface = of_interface();
        return sizeof registers->interface;
    case MODULE_DEVICE:
        registers->device = of_device(object);
        return sizeof registers->device;
    case MODULE_STREAM:
        registers->stream = of_stream(object);
        return sizeof registers->stream;
    default:
        return 0;
    }
}

GC_ERROR module_read(PORT_HANDLE port, uint64_t address, void *value, size_t size) {
    union module_registers registers;
    size_t there = look_up(port, &registers);
    if (address > there || size > there - address)
        return refuse(GC_ERR_INVALID_ADDRESS, "no register of %zu bytes at 0x%llx", size, (unsigned long long)address);
    memcpy(value, (const char *)&registers + address, size);
    return GC_ERR_SUCCESS;
}

static GC_ERROR choose_device(uint32_t index) {
    if (index >= interface_device_count())
        return refuse(GC_ERR_INVALID_VALUE, "there is no device %u", index);
    producer.device_selector = index;
    return GC_ERR_SUCCESS;
}

GC_ERROR module_write(PORT_HANDLE port, uint64_t address, const void *value, size_t size) {
    enum module_kind kind = handle_kind(port);
    uint32_t number = 0;
    if (size != sizeof number)
        return refuse(GC_ERR_INVALID_VALUE, "the registers that can be written have 4 bytes, not %zu", size);
    memcpy(&number, value, sizeof number);
    bool only_choice = (kind == MODULE_SYSTEM && address == offsetof(struct system_registers, selector)) ||
                       (kind == MODULE_DEVICE && address == offsetof(struct device_registers, selector));
    if (only_choice)
        return number == 0 ? GC_ERR_SUCCESS : refuse(GC_ERR_INVALID_VALUE, "there is no choice number %u", number);
    if (kind == MODULE_SYSTEM && address == offsetof(struct system_registers, update))
        return GC_ERR_SUCCESS;
    if (kind == MODULE_INTERFACE && address == offsetof(struct interface_registers, selector))
        return choose_device(number);
    if (kind == MODULE_INTERFACE && address == offsetof(struct interface_registers, update)) {
        interface_update();
        return GC_ERR_SUCCESS;
    }
    return refuse(GC_ERR_ACCESS_DENIED, "the register at 0x%llx cannot be written", (unsigned long long)address);
}
