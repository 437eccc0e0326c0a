// RUN: quant-opt %s -split-input-file -verify-diagnostics

// expected-error@+2 {{expected the sign and the bits of an element, as in `s8`, found `i8`}}
// expected-error@+1 {{failed to parse QTarget_LayoutAttr parameter 'lhs'}}
module attributes {l = #qtarget.layout<lhs = i8, rhs = s8 16x4>} {}

// -----

// expected-error@+2 {{expected a tile of rows by elements along K, as in `16x4`}}
// expected-error@+1 {{failed to parse QTarget_LayoutAttr parameter 'rhs'}}
module attributes {l = #qtarget.layout<lhs = s8, rhs = s8 16>} {}

// -----

// expected-error@+1 {{expected the tile of the right operand, found rhs = s8}}
module attributes {l = #qtarget.layout<lhs = s8, rhs = s8>} {}

// -----

// expected-error@+1 {{expected elements of 4, 8 or 16 bits, found lhs = u2}}
module attributes {l = #qtarget.layout<lhs = u2, rhs = s8 16x4>} {}

// -----

// expected-error@+1 {{expected elements of 2, 4, 8 or 16 bits, found rhs = u3 16x4}}
module attributes {l = #qtarget.layout<lhs = s8, rhs = u3 16x4>} {}

// -----

// expected-error@+1 {{expected a multiple of four 2-bit elements along K, and groups, found rhs = u2 16x6, group = 12}}
module attributes {l = #qtarget.layout<lhs = s8, rhs = u2 16x6, group = 12>} {}

// -----

// expected-error@+1 {{expected a multiple of four 2-bit elements along K, and groups, found rhs = u2 16x16, group = 0}}
module attributes {l = #qtarget.layout<lhs = s8, rhs = u2 16x16>} {}

// -----

// expected-error@+1 {{expected an even number of 4-bit elements along K, found rhs = s4 16x3}}
module attributes {l = #qtarget.layout<lhs = s8, rhs = s4 16x3>} {}

// -----

// expected-error@+1 {{expected floats as lhs = f32 without tiles, and a group, found lhs = f16, group = 8}}
module attributes {l = #qtarget.layout<lhs = f16, rhs = u8 16x4, group = 8>} {}

// -----

// expected-error@+1 {{expected floats as lhs = f32 without tiles, and a group, found lhs = f32 2x4, group = 8}}
module attributes {l = #qtarget.layout<lhs = f32 2x4, rhs = u8 16x4, group = 8>} {}

// -----

// expected-error@+1 {{expected floats as lhs = f32 without tiles, and a group, found lhs = f32, group = 0}}
module attributes {l = #qtarget.layout<lhs = f32, rhs = u8 16x4>} {}

// -----

// expected-error@+1 {{expected floats as lhs = f32 without tiles, and a group, found rhs = f32 16x4, group = 8}}
module attributes {l = #qtarget.layout<lhs = s8, rhs = f32 16x4, group = 8>} {}

// -----

// expected-error@+1 {{expected a codebook with groups of u4 elements, found rhs = u8 16x4, group = 8}}
module attributes {l = #qtarget.layout<lhs = s8, rhs = u8 16x4, group = 8, codebook = [0, 1]>} {}

// -----

// expected-error@+1 {{expected a codebook of 16 integers, all from -128 to 127 or all from 0 to 255, found [0, 1]}}
module attributes {l = #qtarget.layout<lhs = s8, rhs = u4 16x8, group = 8, codebook = [0, 1]>} {}

// -----

// expected-error@+1 {{expected a codebook of 16 integers, all from -128 to 127 or all from 0 to 255, found [-1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]}}
module attributes {l = #qtarget.layout<lhs = s8, rhs = u4 16x8, group = 8, codebook = [-1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]>} {}
