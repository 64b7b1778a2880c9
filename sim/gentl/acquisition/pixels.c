/* Making pixels. Noise is a function of seed, acquisition, line and column, so that a run can be repeated exactly. */
#include "acquisition/pixels.h"

#include <math.h>
#include <string.h>

#include "camera/settings.h"

static unsigned full_scale(uint32_t format) {
    return format == PIXEL_MONO8 ? 0xFFu : format == PIXEL_MONO12 ? 0xFFFu : 0xFFFFu;
}

/* The sensor's 8 bits in the wider formats: full scale stays full scale. */
static unsigned widened(unsigned grey, uint32_t format) {
    return format == PIXEL_MONO8 ? grey : format == PIXEL_MONO12 ? grey << 4u | grey >> 4u : grey << 8u | grey;
}

/* A generator whose state is a counter (splitmix64): every number of it is well mixed. */
static uint64_t mix(uint64_t value) {
    value = (value ^ value >> 30u) * 0xBF58476D1CE4E5B9ull;
    value = (value ^ value >> 27u) * 0x94D049BB133111EBull;
    return value ^ value >> 31u;
}

static const uint64_t MIX_STEP = 0x9E3779B97F4A7C15ull;

struct pixels pixels_of(const struct registers *registers, uint64_t acquisition) {
    struct pixels pixels = {.width = registers->width,
                            .offset_x = registers->offset_x,
                            .format = registers->pixel_format,
                            .big_endian = registers->big_endian,
                            .seed = mix(registers->noise_seed * MIX_STEP + acquisition)};
    const double full = full_scale(pixels.format);
    const double factor = registers->exposure_us / registers->nominal_exposure_us * pow(10, registers->gain_db / 20);
    const double black = registers->black_level * full / 255;
    for (unsigned grey = 0; grey < 256; grey++)
        pixels.grey[grey] = (uint16_t)fmin(full, widened(grey, pixels.format) * factor + black + 0.5);
    pixels.noise = registers->noise * full / 255;
    pixels.plain = factor == 1.0 && black == 0.0 && pixels.noise == 0.0;
    return pixels;
}

size_t pixels_pitch(const struct pixels *pixels) {
    return pixels->width * pixel_size(pixels->format);
}

static void store(const struct pixels *pixels, uint8_t *target, uint32_t column, unsigned value) {
    if (pixels->format == PIXEL_MONO8) {
        target[column] = (uint8_t)value;
        return;
    }
    target[2 * column + pixels->big_endian] = (uint8_t)value;
    target[2 * column + !pixels->big_endian] = (uint8_t)(value >> 8u);
}

/* The sum of four even bytes is close to a normal distribution; its standard deviation is 147.8. */
static double normal(uint32_t random) {
    const int sum = (int)(random & 0xFFu) + (int)(random >> 8u & 0xFFu) + (int)(random >> 16u & 0xFFu) +
                    (int)(random >> 24u);
    return (sum - 510) / 147.8;
}

static void expose_noisy(const struct pixels *pixels, const uint8_t *source, uint32_t count, uint64_t line,
                         uint8_t *target) {
    const double full = full_scale(pixels->format);
    uint64_t state = mix(pixels->seed + line * MIX_STEP), random = 0;
    for (uint32_t column = 0; column < count; column++) {
        random = column % 2 ? random >> 32u : mix(state += MIX_STEP);
        double value = pixels->grey[source[column]] + pixels->noise * normal((uint32_t)random);
        store(pixels, target, column, (unsigned)fmax(0, fmin(full, value + 0.5)));
    }
}

static void expose_pixels(const struct pixels *pixels, const uint8_t *source, uint32_t count, uint64_t line,
                          uint8_t *target) {
    if (pixels->noise > 0)
        expose_noisy(pixels, source, count, line, target);
    else if (pixels->plain && pixels->format == PIXEL_MONO8)
        memcpy(target, source, count);
    else
        for (uint32_t column = 0; column < count; column++)
            store(pixels, target, column, pixels->grey[source[column]]);
}

void pixels_expose(const struct pixels *pixels, const struct scene_view *view, uint32_t row, uint64_t line,
                   uint8_t *target) {
    uint32_t seen = 0;
    if (view->pixels && pixels->offset_x < view->sensor_width) {
        uint32_t there = view->sensor_width - pixels->offset_x;
        seen = there < pixels->width ? there : pixels->width;
        expose_pixels(pixels, view->pixels + row * view->row_pitch + pixels->offset_x, seen, line, target);
    }
    size_t filled = seen * pixel_size(pixels->format);
    memset(target + filled, 0, pixels_pitch(pixels) - filled);
}
