/* SPDX-License-Identifier: ISC */
/* Bit arithmetic at its borders. */
#include "base/bits.h"
#include "harness.h"

TEST(bits, highest_and_lowest) {
    for (unsigned i = 0; i < 64; i++) {
        uint64_t bit = UINT64_C(1) << i;
        CHECK_EQ(gyi_bit_high(bit), i);
        CHECK_EQ(gyi_bit_low(bit), i);
        CHECK_EQ(gyi_bit_high(bit | 1), i);
        CHECK_EQ(gyi_bit_low(bit | UINT64_C(1) << 63), i);
        CHECK_EQ(gyi_bit_high(bit - 1 + bit), i);
    }
}

TEST(bits, next_power_of_two) {
    CHECK_EQ(gyi_pow2_up(0), 1);
    CHECK_EQ(gyi_pow2_up(1), 1);
    CHECK_EQ(gyi_pow2_up(2), 2);
    CHECK_EQ(gyi_pow2_up(3), 4);
    for (unsigned i = 2; i < 31; i++) {
        CHECK_EQ(gyi_pow2_up(1U << i), 1U << i);
        CHECK_EQ(gyi_pow2_up((1U << i) - 1), 1U << i);
        CHECK_EQ(gyi_pow2_up((1U << i) + 1), 1U << (i + 1));
    }
    CHECK_EQ(gyi_pow2_up(1U << 31), 1U << 31);
}

/* The first values of splitmix64 for the seed 0, as its authors' program prints them. */
TEST(bits, random_is_splitmix64) {
    uint64_t state = 0;
    CHECK(gyi_random(&state) == UINT64_C(0xe220a8397b1dcdaf));
    CHECK(gyi_random(&state) == UINT64_C(0x6e789e6aa1b965f4));
    CHECK(gyi_random(&state) == UINT64_C(0x06c45d188009454f));
}
