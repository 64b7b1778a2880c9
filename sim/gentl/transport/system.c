/* What a consumer may ask of the system. */
#include "transport/system.h"

#include <string.h>

#include "base/handles.h"
#include "base/producer.h"
#include "transport/interface.h"

void system_close(void) {
    void *closed = producer.system;
    handle_close(closed);
    interface_close();
    if (producer.system == closed)
        producer.system = NULL;
}

static bool is_system(TL_HANDLE handle) {
    return handle_object(handle, MODULE_SYSTEM) != NULL;
}

static GC_ERROR system_info(TL_INFO_CMD command, struct answer to) {
    switch (command) {
    case TL_INFO_ID:
        return answer_text(to, SYSTEM_ID);
    case TL_INFO_VENDOR:
        return answer_text(to, PRODUCER_VENDOR);
    case TL_INFO_MODEL:
    case TL_INFO_DISPLAYNAME:
        return answer_text(to, PRODUCER_MODEL);
    case TL_INFO_VERSION:
        return answer_text(to, PRODUCER_VERSION);
    case TL_INFO_TLTYPE:
        return answer_text(to, TL_TYPE);
    case TL_INFO_NAME:
        return answer_text(to, PRODUCER_FILE);
    case TL_INFO_PATHNAME:
        return answer_text(to, producer_path());
    case TL_INFO_CHAR_ENCODING:
        return answer_int32(to, 1); /* UTF-8 */
    case TL_INFO_GENTL_VER_MAJOR:
        return answer_uint32(to, 1);
    case TL_INFO_GENTL_VER_MINOR:
        return answer_uint32(to, 5);
    default:
        return refuse(GC_ERR_NOT_IMPLEMENTED, "no system information %d", (int)command);
    }
}

GC_API GCGetInfo(TL_INFO_CMD command, INFO_DATATYPE *type, void *buffer, size_t *size) {
    return system_info(command, (struct answer){type, buffer, size});
}

GC_API TLOpen(TL_HANDLE *handle) {
    GENTL_ENTRY;
    if (!handle)
        return refuse_argument("the system handle");
    if (producer.system)
        return refuse(GC_ERR_RESOURCE_IN_USE, "the system is already open");
    producer.system = handle_open(MODULE_SYSTEM, &producer);
    if (!producer.system)
        return refuse(GC_ERR_OUT_OF_MEMORY, "no memory for a handle");
    *handle = producer.system;
    return GC_ERR_SUCCESS;
}

GC_API TLClose(TL_HANDLE handle) {
    GENTL_ENTRY;
    if (!is_system(handle))
        return refuse_handle("system");
    system_close();
    return GC_ERR_SUCCESS;
}

GC_API TLGetInfo(TL_HANDLE handle, TL_INFO_CMD command, INFO_DATATYPE *type, void *buffer, size_t *size) {
    GENTL_ENTRY;
    if (!is_system(handle))
        return refuse_handle("system");
    return system_info(command, (struct answer){type, buffer, size});
}

GC_API TLUpdateInterfaceList(TL_HANDLE handle, bool8_t *changed, uint64_t timeout_ms) {
    GENTL_ENTRY;
    (void)timeout_ms;
    if (!is_system(handle))
        return refuse_handle("system");
    if (changed)
        *changed = 0;
    return GC_ERR_SUCCESS;
}

GC_API TLGetNumInterfaces(TL_HANDLE handle, uint32_t *count) {
    GENTL_ENTRY;
    if (!is_system(handle))
        return refuse_handle("system");
    if (!count)
        return refuse_argument("the number of interfaces");
    *count = 1;
    return GC_ERR_SUCCESS;
}

GC_API TLGetInterfaceID(TL_HANDLE handle, uint32_t index, char *id, size_t *size) {
    GENTL_ENTRY;
    if (!is_system(handle))
        return refuse_handle("system");
    if (index != 0)
        return refuse(GC_ERR_INVALID_INDEX, "there is one interface");
    return answer_text((struct answer){NULL, id, size}, INTERFACE_ID);
}

GC_API TLGetInterfaceInfo(TL_HANDLE handle, const char *id, INTERFACE_INFO_CMD command, INFO_DATATYPE *type,
                          void *buffer, size_t *size) {
    GENTL_ENTRY;
    if (!is_system(handle))
        return refuse_handle("system");
    if (!id || strcmp(id, INTERFACE_ID) != 0)
        return refuse(GC_ERR_INVALID_ID, "there is no interface of this id");
    return interface_info(command, (struct answer){type, buffer, size});
}

GC_API TLOpenInterface(TL_HANDLE handle, const char *id, IF_HANDLE *interface) {
    GENTL_ENTRY;
    if (!is_system(handle))
        return refuse_handle("system");
    if (!interface)
        return refuse_argument("the interface handle");
    if (!id || strcmp(id, INTERFACE_ID) != 0)
        return refuse(GC_ERR_INVALID_ID, "there is no interface of this id");
    if (producer.interface)
        return refuse(GC_ERR_RESOURCE_IN_USE, "the interface is already open");
    producer.interface = handle_open(MODULE_INTERFACE, &producer);
    if (!producer.interface)
        return refuse(GC_ERR_OUT_OF_MEMORY, "no memory for a handle");
    *interface = producer.interface;
    return GC_ERR_SUCCESS;
}
