import Glibc

/// The names of a directory's entries, without `.` and `..`, in no order.
///
/// - Returns: `nil` when the directory cannot be opened; `errno` says why.
package func directoryEntries(_ path: String) -> [String]? {
  guard let directory = opendir(path) else { return nil }
  defer { closedir(directory) }
  var names: [String] = []
  while let entry = readdir(directory) {
    // In place: an entry is only as long as its name, so a copy of a whole `dirent` would read past
    // the end of the directory's buffer.
    let name = UnsafeRawPointer(entry).advanced(by: MemoryLayout<dirent>.offset(of: \.d_name) ?? 0)
    names.append(String(cString: name.assumingMemoryBound(to: CChar.self)))
  }
  return names.filter { $0 != "." && $0 != ".." }
}
