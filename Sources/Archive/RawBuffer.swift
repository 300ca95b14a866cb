/// Raw memory of a fixed size.
struct RawBuffer: ~Copyable, @unchecked Sendable {
  // The memory is reached through this value only, and a value that cannot be copied is used by one
  // thread at a time.
  let bytes: UnsafeMutableRawBufferPointer

  init(byteCount: Int) {
    bytes = .allocate(byteCount: byteCount, alignment: 64)
  }

  deinit { bytes.deallocate() }
}
