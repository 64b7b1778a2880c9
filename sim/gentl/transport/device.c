/* Opening, closing, information, its stream. */
#include "transport/device.h"

#include <string.h>

#include "acquisition/thread.h"
#include "base/clock.h"
#include "base/handles.h"
#include "base/producer.h"
#include "camera/cable.h"
#include "stream/stream.h"

static int32_t access_status(struct camera *camera) {
    if (!camera_connected(camera))
        return DEVICE_ACCESS_STATUS_NOACCESS;
    if (!camera->device)
        return DEVICE_ACCESS_STATUS_READWRITE;
    return camera->access == DEVICE_ACCESS_READONLY ? DEVICE_ACCESS_STATUS_OPEN_READONLY
                                                    : DEVICE_ACCESS_STATUS_OPEN_READWRITE;
}

GC_ERROR device_info(struct camera *camera, DEVICE_INFO_CMD command, struct answer to) {
    switch (command) {
    case DEVICE_INFO_ID:
        return answer_text(to, camera->id);
    case DEVICE_INFO_VENDOR:
        return answer_text(to, PRODUCER_VENDOR);
    case DEVICE_INFO_MODEL:
    case DEVICE_INFO_DISPLAYNAME:
        return answer_text(to, PRODUCER_MODEL);
    case DEVICE_INFO_TLTYPE:
        return answer_text(to, TL_TYPE);
    case DEVICE_INFO_ACCESS_STATUS:
        return answer_int32(to, access_status(camera));
    case DEVICE_INFO_USER_DEFINED_NAME:
        return answer_text(to, camera->registers.user_id);
    case DEVICE_INFO_SERIAL_NUMBER:
        return answer_text(to, camera->registers.serial);
    case DEVICE_INFO_VERSION:
        return answer_text(to, PRODUCER_VERSION);
    case DEVICE_INFO_TIMESTAMP_FREQUENCY:
        return answer_uint64(to, NS_PER_S);
    default:
        return refuse(GC_ERR_NOT_IMPLEMENTED, "no device information %d", (int)command);
    }
}

/* From here on the handles are stale; the device counts as open until it is forgotten. */
static void close_handles(struct camera *camera) {
    handle_close(camera->device);
    handle_close(camera->remote);
}

static void forget_handles(struct camera *camera) {
    camera->device = camera->remote = NULL;
}

GC_ERROR device_open(struct camera *camera, DEVICE_ACCESS_FLAGS flags, DEV_HANDLE *device) {
    if (!device)
        return refuse_argument("the device handle");
    if (flags < DEVICE_ACCESS_READONLY || flags > DEVICE_ACCESS_EXCLUSIVE)
        return refuse(GC_ERR_INVALID_PARAMETER, "unknown access flags %d", (int)flags);
    if (camera->device)
        return refuse(GC_ERR_RESOURCE_IN_USE, "the device is already open");
    if (!camera_connected(camera))
        return refuse(GC_ERR_NOT_AVAILABLE, "the camera is not connected");
    camera->access = flags;
    camera->device = handle_open(MODULE_DEVICE, camera);
    camera->remote = handle_open(MODULE_REMOTE_DEVICE, camera);
    bool opened = camera->device && camera->remote;
    GC_ERROR result = opened ? camera_power_on(camera) : refuse(GC_ERR_OUT_OF_MEMORY, "no memory for a handle");
    if (result) {
        close_handles(camera);
        forget_handles(camera);
    }
    *device = camera->device;
    return result;
}

void device_close(struct camera *camera) {
    while (camera->closing)
        camera_await_change(camera);
    if (!camera->device)
        return;
    camera->closing = true;
    close_handles(camera);
    stream_close(camera->stream);
    camera_power_off(camera);
    forget_handles(camera);
    camera->closing = false;
    camera_connected(camera);
    camera_tell_change(camera);
}

static struct camera *find_device(DEV_HANDLE handle) {
    return handle_object(handle, MODULE_DEVICE);
}

GC_API DevClose(DEV_HANDLE handle) {
    GENTL_ENTRY;
    struct camera *camera = find_device(handle);
    if (!camera)
        return refuse_handle("device");
    faults_sit_out(camera, CALL_CLOSE_DEVICE);
    if (!find_device(handle))
        return refuse_handle("device");
    device_close(camera);
    return GC_ERR_SUCCESS;
}

GC_API DevGetInfo(DEV_HANDLE handle, DEVICE_INFO_CMD command, INFO_DATATYPE *type, void *buffer, size_t *size) {
    GENTL_ENTRY;
    struct camera *camera = find_device(handle);
    if (!camera)
        return refuse_handle("device");
    return device_info(camera, command, (struct answer){type, buffer, size});
}

GC_API DevGetParentIF(DEV_HANDLE handle, IF_HANDLE *interface) {
    GENTL_ENTRY;
    if (!find_device(handle))
        return refuse_handle("device");
    if (!interface)
        return refuse_argument("the interface handle");
    *interface = producer.interface;
    return GC_ERR_SUCCESS;
}

GC_API DevGetPort(DEV_HANDLE handle, PORT_HANDLE *remote) {
    GENTL_ENTRY;
    const struct camera *camera = find_device(handle);
    if (!camera)
        return refuse_handle("device");
    if (!remote)
        return refuse_argument("the port handle");
    *remote = camera->remote;
    return GC_ERR_SUCCESS;
}

GC_API DevGetNumDataStreams(DEV_HANDLE handle, uint32_t *count) {
    GENTL_ENTRY;
    if (!find_device(handle))
        return refuse_handle("device");
    if (!count)
        return refuse_argument("the number of streams");
    *count = 1;
    return GC_ERR_SUCCESS;
}

GC_API DevGetDataStreamID(DEV_HANDLE handle, uint32_t index, char *id, size_t *size) {
    GENTL_ENTRY;
    const struct camera *camera = find_device(handle);
    if (!camera)
        return refuse_handle("device");
    if (index != 0)
        return refuse(GC_ERR_INVALID_INDEX, "there is one data stream");
    return answer_text((struct answer){NULL, id, size}, camera->id);
}

GC_API DevOpenDataStream(DEV_HANDLE handle, const char *id, DS_HANDLE *stream) {
    GENTL_ENTRY;
    struct camera *camera = find_device(handle);
    if (!camera)
        return refuse_handle("device");
    if (!stream)
        return refuse_argument("the stream handle");
    if (!id || strcmp(id, camera->id) != 0)
        return refuse(GC_ERR_INVALID_ID, "there is no data stream of this id");
    return stream_open(camera->stream, camera, stream);
}
