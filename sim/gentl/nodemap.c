/* Embeds camera.xml and module.xml; the build says in NODEMAP_FOLDER where they lie. */
#include "nodemap.h"

#define EMBED(name, file)                                                                                              \
    __asm__(".section .rodata\n"                                                                                       \
            ".global " #name "\n.hidden " #name "\n" #name ":\n"                                                       \
            ".incbin \"" NODEMAP_FOLDER "/" file "\"\n"                                                                \
            ".global " #name "_end\n.hidden " #name "_end\n" #name "_end:\n"                                           \
            ".byte 0\n.previous\n");                                                                                   \
    extern const char name[], name##_end[]

EMBED(nodemap_camera_xml, "camera.xml");
EMBED(nodemap_module_xml, "module.xml");

enum { CAMERA_ADDRESS = 0x100000, MODULE_ADDRESS = 0x200000 };

struct nodemap nodemap_of(enum module_kind kind) {
    if (kind == MODULE_REMOTE_DEVICE)
        return (struct nodemap){"station_linescan_camera.xml", nodemap_camera_xml,
                                (size_t)(nodemap_camera_xml_end - nodemap_camera_xml), CAMERA_ADDRESS};
    return (struct nodemap){"station_linescan_module.xml", nodemap_module_xml,
                            (size_t)(nodemap_module_xml_end - nodemap_module_xml), MODULE_ADDRESS};
}
