/* Ports: where a module's description lies, and reading and writing its registers. */
#include <stdio.h>
#include <string.h>

#include "base/handles.h"
#include "base/producer.h"
#include "camera/access.h"
#include "stream/stream.h"
#include "transport/module_registers.h"
#include "transport/nodemap.h"

enum { URL_SIZE = 128, STACK_LIMIT = 4096 };

static bool has_port(enum module_kind kind) {
    return kind != MODULE_NONE && kind != MODULE_EVENT && kind != MODULE_BUFFER;
}

static const char *module_name(enum module_kind kind) {
    switch (kind) {
    case MODULE_SYSTEM:
        return "TLSystem";
    case MODULE_INTERFACE:
        return "TLInterface";
    case MODULE_DEVICE:
        return "TLDevice";
    case MODULE_STREAM:
        return "TLDataStream";
    default:
        return "Device";
    }
}

static const char *module_id(PORT_HANDLE port, enum module_kind kind) {
    switch (kind) {
    case MODULE_SYSTEM:
        return SYSTEM_ID;
    case MODULE_INTERFACE:
        return INTERFACE_ID;
    case MODULE_STREAM:
        return ((const struct stream *)handle_object(port, kind))->camera->id;
    default:
        return ((const struct camera *)handle_object(port, kind))->id;
    }
}

/* The camera behind a remote port, NULL for other ports. */
static struct camera *remote_camera(PORT_HANDLE port) {
    return handle_object(port, MODULE_REMOTE_DEVICE);
}

static GC_ERROR port_access(PORT_HANDLE port, PORT_INFO_CMD command, struct answer to) {
    const struct camera *camera = remote_camera(port);
    bool there = !camera || camera->cable == CABLE_IN;
    if (command == PORT_INFO_ACCESS_READ)
        return answer_bool(to, there);
    if (command == PORT_INFO_ACCESS_WRITE)
        return answer_bool(to, there && !(camera && camera->access == DEVICE_ACCESS_READONLY));
    return answer_bool(to, !there);
}

GC_API GCGetPortInfo(PORT_HANDLE port, PORT_INFO_CMD command, INFO_DATATYPE *type, void *buffer, size_t *size) {
    GENTL_ENTRY;
    enum module_kind kind = handle_kind(port);
    if (!has_port(kind))
        return refuse_handle("module with a port");
    const struct answer to = {type, buffer, size};
    switch (command) {
    case PORT_INFO_ID:
        return answer_text(to, module_id(port, kind));
    case PORT_INFO_VENDOR:
        return answer_text(to, PRODUCER_VENDOR);
    case PORT_INFO_MODEL:
        return answer_text(to, PRODUCER_MODEL);
    case PORT_INFO_TLTYPE:
        return answer_text(to, TL_TYPE);
    case PORT_INFO_MODULE:
        return answer_text(to, module_name(kind));
    case PORT_INFO_LITTLE_ENDIAN:
        return answer_bool(to, true);
    case PORT_INFO_BIG_ENDIAN:
    case PORT_INFO_ACCESS_NI:
        return answer_bool(to, false);
    case PORT_INFO_ACCESS_READ:
    case PORT_INFO_ACCESS_WRITE:
    case PORT_INFO_ACCESS_NA:
        return port_access(port, command, to);
    case PORT_INFO_VERSION:
        return answer_text(to, PRODUCER_VERSION);
    case PORT_INFO_PORTNAME:
        return answer_text(to, nodemap_of(kind).port);
    default:
        return refuse(GC_ERR_NOT_IMPLEMENTED, "no port information %d", (int)command);
    }
}

GC_API GCGetNumPortURLs(PORT_HANDLE port, uint32_t *count) {
    GENTL_ENTRY;
    if (!has_port(handle_kind(port)))
        return refuse_handle("module with a port");
    if (!count)
        return refuse_argument("the number of addresses");
    *count = 1;
    return GC_ERR_SUCCESS;
}

static GC_ERROR answer_url(struct answer to, const struct nodemap *map) {
    char url[URL_SIZE];
    snprintf(url, sizeof url, "Local:%s;%llX;%zX?SchemaVersion=1.1.0", map->file, (unsigned long long)map->address,
             map->size);
    return answer_text(to, url);
}

GC_API GCGetPortURL(PORT_HANDLE port, char *url, size_t *size) {
    GENTL_ENTRY;
    enum module_kind kind = handle_kind(port);
    if (!has_port(kind))
        return refuse_handle("module with a port");
    const struct nodemap map = nodemap_of(kind);
    return answer_url((struct answer){NULL, url, size}, &map);
}

GC_API GCGetPortURLInfo(PORT_HANDLE port, uint32_t index, URL_INFO_CMD command, INFO_DATATYPE *type, void *buffer,
                        size_t *size) {
    GENTL_ENTRY;
    enum module_kind kind = handle_kind(port);
    if (!has_port(kind))
        return refuse_handle("module with a port");
    if (index != 0)
        return refuse(GC_ERR_INVALID_INDEX, "a port has one description");
    const struct nodemap map = nodemap_of(kind);
    const struct answer to = {type, buffer, size};
    switch (command) {
    case URL_INFO_URL:
        return answer_url(to, &map);
    case URL_INFO_SCHEMA_VER_MAJOR:
    case URL_INFO_SCHEMA_VER_MINOR:
    case URL_INFO_FILE_VER_MAJOR:
        return answer_int32(to, 1);
    case URL_INFO_FILE_VER_MINOR:
    case URL_INFO_FILE_VER_SUBMINOR:
    case URL_INFO_SCHEME: /* in the register map */
        return answer_int32(to, 0);
    case URL_INFO_FILE_REGISTER_ADDRESS:
        return answer_uint64(to, map.address);
    case URL_INFO_FILE_SIZE:
        return answer_uint64(to, map.size);
    case URL_INFO_FILENAME:
        return answer_text(to, map.file);
    default:
        return refuse(GC_ERR_NOT_AVAILABLE, "no such information about a description");
    }
}

/* ---- registers ---- */

/* Whether a port can be reached; a camera may be told to hang in this call. */
static GC_ERROR check_port(PORT_HANDLE port, const void *buffer, const size_t *size, enum call call) {
    if (!has_port(handle_kind(port)))
        return refuse_handle("module with a port");
    if (!buffer || !size)
        return refuse_argument("the data and their size");
    struct camera *camera = remote_camera(port);
    if (!camera)
        return GC_ERR_SUCCESS;
    faults_sit_out(camera, call);
    if (!remote_camera(port))
        return refuse_handle("module with a port");
    if (camera->cable != CABLE_IN)
        return refuse(GC_ERR_IO, "the camera is not connected any more");
    return GC_ERR_SUCCESS;
}

static GC_ERROR read_port(PORT_HANDLE port, uint64_t address, void *buffer, size_t size) {
    const struct nodemap map = nodemap_of(handle_kind(port));
    if (address >= map.address && address <= map.address + map.size && size <= map.address + map.size - address) {
        memcpy(buffer, map.text + (address - map.address), size);
        return GC_ERR_SUCCESS;
    }
    struct camera *camera = remote_camera(port);
    return camera ? registers_read(camera, address, buffer, size) : module_read(port, address, buffer, size);
}

static GC_ERROR write_port(PORT_HANDLE port, uint64_t address, const void *buffer, size_t size) {
    struct camera *camera = remote_camera(port);
    if (!camera)
        return module_write(port, address, buffer, size);
    if (camera->access == DEVICE_ACCESS_READONLY)
        return refuse(GC_ERR_ACCESS_DENIED, "the device is open for reading only");
    return registers_write(camera, address, buffer, size);
}

GC_API GCReadPort(PORT_HANDLE port, uint64_t address, void *buffer, size_t *size) {
    GENTL_ENTRY;
    GC_ERROR checked = check_port(port, buffer, size, CALL_READ_PORT);
    return checked ? checked : read_port(port, address, buffer, *size);
}

GC_API GCWritePort(PORT_HANDLE port, uint64_t address, const void *buffer, size_t *size) {
    GENTL_ENTRY;
    GC_ERROR checked = check_port(port, buffer, size, CALL_WRITE_PORT);
    return checked ? checked : write_port(port, address, buffer, *size);
}

/* ---- several registers at once: both stop at the first refusal and tell how many entries were done ---- */

static GC_ERROR check_stack(PORT_HANDLE port, const PORT_REGISTER_STACK_ENTRY *entries, const size_t *count) {
    GENTL_ENTRY;
    if (!has_port(handle_kind(port)))
        return refuse_handle("module with a port");
    if (!entries || !count || *count > STACK_LIMIT)
        return refuse(GC_ERR_INVALID_PARAMETER, "no entries, or more than %d", STACK_LIMIT);
    return GC_ERR_SUCCESS;
}

GC_API GCReadPortStacked(PORT_HANDLE port, PORT_REGISTER_STACK_ENTRY *entries, size_t *count) {
    GC_ERROR result = check_stack(port, entries, count);
    if (result)
        return result;
    size_t done = 0;
    for (; done < *count && !result; done += result ? 0 : 1)
        result = GCReadPort(port, entries[done].Address, entries[done].pBuffer, &entries[done].Size);
    *count = done;
    return result;
}

GC_API GCWritePortStacked(PORT_HANDLE port, PORT_REGISTER_STACK_ENTRY *entries, size_t *count) {
    GC_ERROR result = check_stack(port, entries, count);
    if (result)
        return result;
    size_t done = 0;
    for (; done < *count && !result; done += result ? 0 : 1)
        result = GCWritePort(port, entries[done].Address, entries[done].pBuffer, &entries[done].Size);
    *count = done;
    return result;
}
