/* Embeds the descriptions; the build says in NODEMAP_FOLDER where they lie. The camera's is in pieces, one a category. */
#include "transport/nodemap.h"

#define FILE_OF(file) ".incbin \"" NODEMAP_FOLDER "/" file "\"\n"
#define EMBED(name, files)                                                                                             \
    __asm__(".section .rodata\n"                                                                                       \
            ".global " #name "\n.hidden " #name "\n" #name ":\n" files                                                 \
            ".global " #name "_end\n.hidden " #name "_end\n" #name "_end:\n"                                           \
            ".byte 0\n.previous\n");                                                                                   \
    extern const char name[], name##_end[]

EMBED(nodemap_camera, FILE_OF("camera_categories.xml") FILE_OF("camera_device.xml") FILE_OF("camera_image.xml")
                          FILE_OF("camera_acquisition.xml") FILE_OF("camera_trigger.xml") FILE_OF("camera_chunks.xml")
                              FILE_OF("camera_simulation.xml"));
EMBED(nodemap_system, FILE_OF("system.xml"));
EMBED(nodemap_interface, FILE_OF("interface.xml"));
EMBED(nodemap_device, FILE_OF("device.xml"));
EMBED(nodemap_stream, FILE_OF("stream.xml"));

enum { DESCRIPTION_ADDRESS = 0x100000 };

#define NODEMAP(name, file, port) {file, port, name, (size_t)(name##_end - name), DESCRIPTION_ADDRESS}

struct nodemap nodemap_of(enum module_kind kind) {
    switch (kind) {
    case MODULE_SYSTEM:
        return (struct nodemap)NODEMAP(nodemap_system, "station_linescan_system.xml", "TLPort");
    case MODULE_INTERFACE:
        return (struct nodemap)NODEMAP(nodemap_interface, "station_linescan_interface.xml", "InterfacePort");
    case MODULE_DEVICE:
        return (struct nodemap)NODEMAP(nodemap_device, "station_linescan_device.xml", "DevicePort");
    case MODULE_STREAM:
        return (struct nodemap)NODEMAP(nodemap_stream, "station_linescan_stream.xml", "StreamPort");
    default:
        return (struct nodemap)NODEMAP(nodemap_camera, "station_linescan_camera.xml", "Device");
    }
}
