/* The one interface: which cameras there are. */
#include "transport/interface.h"

#include <string.h>

#include "base/handles.h"
#include "base/producer.h"
#include "camera/cable.h"
#include "transport/cameras.h"
#include "transport/device.h"

static bool is_interface(IF_HANDLE handle) {
    return handle_object(handle, MODULE_INTERFACE) != NULL;
}

GC_ERROR interface_info(INTERFACE_INFO_CMD command, struct answer to) {
    switch (command) {
    case INTERFACE_INFO_ID:
        return answer_text(to, INTERFACE_ID);
    case INTERFACE_INFO_DISPLAYNAME:
        return answer_text(to, "Simulated cell");
    case INTERFACE_INFO_TLTYPE:
        return answer_text(to, TL_TYPE);
    default:
        return refuse(GC_ERR_NOT_IMPLEMENTED, "no interface information %d", (int)command);
    }
}

/* The devices' closing releases the lock: with a stale handle, nobody opens one meanwhile. */
void interface_close(void) {
    void *closed = producer.interface;
    handle_close(closed);
    for (unsigned i = 0; i < producer.camera_count; i++)
        device_close(producer_camera(i));
    if (producer.interface == closed)
        producer.interface = NULL;
}

GC_API IFClose(IF_HANDLE handle) {
    GENTL_ENTRY;
    if (!is_interface(handle))
        return refuse_handle("interface");
    interface_close();
    return GC_ERR_SUCCESS;
}

GC_API IFGetInfo(IF_HANDLE handle, INTERFACE_INFO_CMD command, INFO_DATATYPE *type, void *buffer, size_t *size) {
    GENTL_ENTRY;
    if (!is_interface(handle))
        return refuse_handle("interface");
    return interface_info(command, (struct answer){type, buffer, size});
}

GC_API IFGetParentTL(IF_HANDLE handle, TL_HANDLE *system) {
    GENTL_ENTRY;
    if (!is_interface(handle))
        return refuse_handle("interface");
    if (!system)
        return refuse_argument("the system handle");
    *system = producer.system;
    return GC_ERR_SUCCESS;
}

/* ---- devices ---- */

bool interface_update(void) {
    bool changed = false;
    for (unsigned i = 0; i < producer.camera_count; i++) {
        struct camera *camera = producer_camera(i);
        bool there = camera_connected(camera);
        changed = changed || camera->listed != there;
        camera->listed = there;
    }
    return changed;
}

struct camera *interface_device(uint32_t index) {
    for (unsigned i = 0; i < producer.camera_count; i++)
        if (producer_camera(i)->listed && index-- == 0)
            return producer_camera(i);
    return NULL;
}

uint32_t interface_device_count(void) {
    uint32_t count = 0;
    while (interface_device(count))
        count++;
    return count;
}

GC_API IFUpdateDeviceList(IF_HANDLE handle, bool8_t *changed, uint64_t timeout_ms) {
    GENTL_ENTRY;
    (void)timeout_ms;
    if (!is_interface(handle))
        return refuse_handle("interface");
    bool differs = interface_update();
    if (changed)
        *changed = differs;
    return GC_ERR_SUCCESS;
}

GC_API IFGetNumDevices(IF_HANDLE handle, uint32_t *count) {
    GENTL_ENTRY;
    if (!is_interface(handle))
        return refuse_handle("interface");
    if (!count)
        return refuse_argument("the number of devices");
    *count = interface_device_count();
    return GC_ERR_SUCCESS;
}

GC_API IFGetDeviceID(IF_HANDLE handle, uint32_t index, char *id, size_t *size) {
    GENTL_ENTRY;
    if (!is_interface(handle))
        return refuse_handle("interface");
    const struct camera *camera = interface_device(index);
    if (!camera)
        return refuse(GC_ERR_INVALID_INDEX, "there is no such device");
    return answer_text((struct answer){NULL, id, size}, camera->id);
}

static struct camera *find_camera(const char *id) {
    for (unsigned i = 0; id && i < producer.camera_count; i++)
        if (strcmp(id, producer_camera(i)->id) == 0)
            return producer_camera(i);
    return NULL;
}

GC_API IFGetDeviceInfo(IF_HANDLE handle, const char *id, DEVICE_INFO_CMD command, INFO_DATATYPE *type, void *buffer,
                       size_t *size) {
    GENTL_ENTRY;
    if (!is_interface(handle))
        return refuse_handle("interface");
    struct camera *camera = find_camera(id);
    if (!camera)
        return refuse(GC_ERR_INVALID_ID, "there is no device of this id");
    return device_info(camera, command, (struct answer){type, buffer, size});
}

GC_API IFOpenDevice(IF_HANDLE handle, const char *id, DEVICE_ACCESS_FLAGS flags, DEV_HANDLE *device) {
    GENTL_ENTRY;
    if (!is_interface(handle))
        return refuse_handle("interface");
    struct camera *camera = find_camera(id);
    if (!camera)
        return refuse(GC_ERR_INVALID_ID, "there is no device of this id");
    return device_open(camera, flags, device);
}
