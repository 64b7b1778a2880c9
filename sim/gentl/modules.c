/* The library, the system and its one interface: opening, closing, listing. */
#include <string.h>

#include "camera.h"
#include "producer.h"

struct producer producer;
pthread_mutex_t producer_mutex = PTHREAD_MUTEX_INITIALIZER;

static struct camera cameras[CAMERA_COUNT] = {{.id = "station-linescan-1", .serial = "SLS-0001"}};

struct camera *producer_camera(unsigned index) {
    return &cameras[index];
}

bool producer_enter(void) {
    pthread_mutex_lock(&producer_mutex);
    return producer.initialised;
}

void producer_leave(const bool *entered) {
    (void)entered;
    pthread_mutex_unlock(&producer_mutex);
}

/* ---- library ---- */

/* Conditions wait on the clock that the whole cell shares. */
static void make_conditions(void) {
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    for (unsigned i = 0; i < CAMERA_COUNT; i++)
        pthread_cond_init(&cameras[i].changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    scene_make_pattern();
}

GC_API GCInitLib(void) {
    static pthread_once_t made = PTHREAD_ONCE_INIT;
    pthread_once(&made, make_conditions);
    __attribute__((cleanup(producer_leave))) bool running = producer_enter();
    if (running)
        return refuse(GC_ERR_RESOURCE_IN_USE, "GCInitLib has been called before");
    producer.initialised = true;
    for (unsigned i = 0; i < CAMERA_COUNT; i++) {
        camera_plug_in(&cameras[i]);
        cameras[i].listed = true;
    }
    return GC_ERR_SUCCESS;
}

static void system_close(void) {
    interface_close();
    handle_close(producer.system);
    producer.system = NULL;
}

GC_API GCCloseLib(void) {
    GENTL_ENTRY;
    system_close();
    for (unsigned i = 0; i < CAMERA_COUNT; i++)
        scene_close(&cameras[i].scene);
    producer.initialised = false;
    return GC_ERR_SUCCESS;
}

/* ---- system ---- */

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
    case TL_INFO_PATHNAME:
        return answer_text(to, PRODUCER_FILE);
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

static bool is_system(TL_HANDLE handle) {
    return handle_object(handle, MODULE_SYSTEM) != NULL;
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

/* ---- interface ---- */

static GC_ERROR interface_info(INTERFACE_INFO_CMD command, struct answer to) {
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

void interface_close(void) {
    for (unsigned i = 0; i < CAMERA_COUNT; i++)
        device_close(&cameras[i]);
    handle_close(producer.interface);
    producer.interface = NULL;
}

static bool is_interface(IF_HANDLE handle) {
    return handle_object(handle, MODULE_INTERFACE) != NULL;
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

GC_API IFUpdateDeviceList(IF_HANDLE handle, bool8_t *changed, uint64_t timeout_ms) {
    GENTL_ENTRY;
    (void)timeout_ms;
    if (!is_interface(handle))
        return refuse_handle("interface");
    bool differs = false;
    for (unsigned i = 0; i < CAMERA_COUNT; i++) {
        bool there = cameras[i].cable == CABLE_IN;
        differs = differs || cameras[i].listed != there;
        cameras[i].listed = there;
    }
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
    *count = 0;
    for (unsigned i = 0; i < CAMERA_COUNT; i++)
        *count += cameras[i].listed;
    return GC_ERR_SUCCESS;
}

GC_API IFGetDeviceID(IF_HANDLE handle, uint32_t index, char *id, size_t *size) {
    GENTL_ENTRY;
    if (!is_interface(handle))
        return refuse_handle("interface");
    for (unsigned i = 0; i < CAMERA_COUNT; i++)
        if (cameras[i].listed && index-- == 0)
            return answer_text((struct answer){NULL, id, size}, cameras[i].id);
    return refuse(GC_ERR_INVALID_INDEX, "there is no such device");
}

static struct camera *find_camera(const char *id) {
    for (unsigned i = 0; id && i < CAMERA_COUNT; i++)
        if (strcmp(id, cameras[i].id) == 0)
            return &cameras[i];
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
