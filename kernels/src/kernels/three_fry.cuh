// Threefry-2x32-20.

struct Pair {
  u32 words[2];
};

inline u32 rotated(u32 value, int by) { return value << by | value >> (32 - by); }

inline Pair three_fry(u64 key, u64 counter) {
  constexpr int ROTATIONS[8] = {13, 15, 26, 6, 17, 29, 16, 24};
  const u32 first = u32(key), second = u32(key >> 32);
  const u32 keys[3] = {first, second, first ^ second ^ 0x1bd11bdau};
  u32 a = u32(counter) + first, b = u32(counter >> 32) + second;
#pragma unroll
  for (int round = 0; round < 5; ++round) {
#pragma unroll
    for (int at = 0; at < 4; ++at) {
      a += b;
      b = rotated(b, ROTATIONS[round % 2 * 4 + at]) ^ a;
    }
    a += keys[(round + 1) % 3];
    b += keys[(round + 2) % 3] + round + 1;
  }
  return Pair{{a, b}};
}

inline u64 joined(Pair pair) { return u64(pair.words[0]) | u64(pair.words[1]) << 32; }
