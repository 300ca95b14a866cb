import Glibc

/// Seconds of processor time that this process has used.
private func processorSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// The processor time of a run: the median of as many as take half a second, of five at least.
func seconds(_ run: () throws -> Void) rethrows -> Double {
  var times: [Double] = []
  var total = 0.0
  while times.count < 5 || (total < 0.5 && times.count < 1000) {
    let start = processorSeconds()
    try run()
    times.append(processorSeconds() - start)
    total += times[times.count - 1]
  }
  return times.sorted()[times.count / 2]
}

/// Prints a rate in GB a second.
func report(_ part: String, _ data: String, bytes: Int, _ run: () throws -> Void) rethrows {
  let rate = Double(bytes) / 1e9 / (try seconds(run))
  print("| \(part) | \(data) | \(rounded(rate)) GB/s |")
}

/// Prints what each of so many calls takes.
func report(_ part: String, _ data: String, calls: Int, _ run: () throws -> Void) rethrows {
  let time = try seconds(run) / Double(calls)
  let shown = time < 1e-6 ? "\(rounded(time * 1e9)) ns" : "\(rounded(time * 1e6)) µs"
  print("| \(part) | \(data) | \(shown) |")
}

/// Three significant digits.
private func rounded(_ value: Double) -> String {
  let step = pow(10, (log10(value)).rounded(.down) - 2)
  let number = (value / step).rounded() * step
  return step >= 1 ? "\(Int(number))" : "\((number * 10_000).rounded() / 10_000)"
}

/// Keeps a result alive that nothing else needs.
@inline(never)
func use<Value: ~Copyable>(_ value: borrowing Value) {}
