import Cryptography

/// Returns the name under which the gateway of a data directory meters: made once, at random, and
/// kept in the directory.
///
/// - Throws: `FileError`, `RandomnessError`.
func gatewayName(in directory: String) throws -> String {
    let path = "\(directory)/gateway-id"
    do {
        let bytes = try Files.read(path, limit: 64)
        let name = String(decoding: bytes.filter { $0 > 0x20 && $0 < 0x7F }, as: UTF8.self)
        if !name.isEmpty { return name }
    } catch FileError.missing {
        // The first start of this directory.
    }
    let name = "gw-" + (try SecureRandom.base62(length: 10))
    try Files.replace(path, with: Array("\(name)\n".utf8), mode: 0o600)
    return name
}
