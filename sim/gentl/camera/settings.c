/* Factory values, and what follows from the settings. */
#include "camera/settings.h"

#include "base/producer.h"

static const double SENSOR_LINE_RATE_HZ = 200000; /* what the sensor can be read out at */

struct registers settings_factory(void) {
    struct registers registers = {.vendor = PRODUCER_VENDOR,
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
                                  .exposure_us = 20,
                                  .encoder_divider = 1,
                                  .chunk_enable = {[CHUNK_FRAME_ID] = 1, [CHUNK_ENCODER] = 1},
                                  .fault_block = 1,
                                  .nominal_exposure_us = 20};
    for (int i = 0; i < TRIGGER_COUNT; i++)
        registers.triggers[i].source = SOURCE_LINE0;
    return registers;
}

GC_ERROR settings_save(const struct registers *registers, struct flash *flash, uint32_t user_set) {
    if (user_set == USER_SET_DEFAULT)
        return refuse(GC_ERR_ACCESS_DENIED, "the user set Default holds the factory's values and cannot be overwritten");
    flash->user_sets[user_set] = *registers;
    flash->saved[user_set] = true;
    return GC_ERR_SUCCESS;
}

size_t pixel_size(uint32_t pixel_format) {
    return pixel_format == PIXEL_MONO8 ? 1 : 2;
}

uint32_t registers_chunks(const struct registers *registers) {
    uint32_t chunks = 0;
    for (unsigned chunk = 0; chunk < CHUNK_COUNT && registers->chunk_mode_active; chunk++)
        chunks |= (registers->chunk_enable[chunk] ? 1u : 0u) << chunk;
    return chunks;
}

size_t chunk_size(enum chunk chunk, uint32_t height) {
    return chunk == CHUNK_ENCODER ? (size_t)height * CHUNK_BYTES : CHUNK_BYTES;
}

size_t chunk_offset(uint32_t chunks, enum chunk chunk, uint32_t height) {
    size_t size = 0;
    for (unsigned earlier = 0; earlier < chunk; earlier++)
        size += chunks & 1u << earlier ? chunk_size(earlier, height) : 0;
    return size;
}

size_t chunks_size(uint32_t chunks, uint32_t height) {
    return chunk_offset(chunks, CHUNK_COUNT, height);
}

size_t registers_payload_size(const struct registers *registers) {
    size_t image = (size_t)registers->width * registers->height * pixel_size(registers->pixel_format);
    return image + chunks_size(registers_chunks(registers), registers->height);
}

double registers_line_rate_hz(const struct registers *registers) {
    bool by_clock = registers->triggers[TRIGGER_LINE_START].mode == 0;
    double rate = by_clock ? registers->line_rate_hz : SENSOR_LINE_RATE_HZ;
    double longest = 1e6 / registers->exposure_us;
    return rate < longest ? rate : longest;
}
