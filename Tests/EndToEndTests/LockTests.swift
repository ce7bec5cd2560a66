import FoundationEssentials
import Testing

private let relu = "relu(x: f32[11,17])"

extension EndToEnd {
  @Suite("Lock files") struct LockTests {
    @Test("a locked get gives exactly what the file names, or fails")
    func locked() throws {
      let home = try PrivateHome()
      let file = home.file("granary.lock")
      let made = try home.granary("lock", relu, "exp(x: f32[5])", "-o", file, "--json")
      #expect(made.status == 0, "\(made)")
      let kernels = try made.json()["kernels"]
      #expect(kernels.list.count == 2)
      let served = try home.granary("get", relu, "--lock", file, "--json")
      #expect(served.status == 0, "\(served)")
      #expect(try served.json()[0]["revision"] == kernels[0]["revision"])
      #expect(try served.json()[0]["artifact"] == kernels[0]["artifact"])
      let other = try home.granary("get", "relu(x: f32[3])", "--lock", file, "--json")
      #expect(other.status == 1, "\(other)")
      #expect(try other.failure()["code"].text == "not-found")
      #expect(try other.failure()["message"].text?.contains("lock") == true)
      // What is gone must not be met by something else.
      let key = try #require(kernels[0]["key"].text)
      #expect(try home.granary("rm", key).status == 0)
      let gone = try home.granary("get", relu, "--lock", file, "--json")
      #expect(gone.status == 1, "\(gone)")
      #expect(try gone.failure()["message"].text?.contains("the store has no revision") == true)
      #expect(try home.granary("lock", "--check", file).status == 1)
      // Prewarmed, the store has the same bytes under another number, or the difference is told.
      let again = try home.granary("prewarm", "--from", file, "--json")
      let check = try home.granary("lock", "--check", file, "--json")
      #expect(again.status == check.status, "\(again) \(check)")
      if check.status == 0 {
        let met = try home.granary("get", relu, "--lock", file, "--json").json()[0]
        #expect(
          met["artifact"] == kernels[0]["artifact"] && met["revision"] != kernels[0]["revision"])
      } else {
        #expect(try check.json().list.contains { $0["state"].text == "differs" })
      }
    }

    @Test(
      "another artifact under the locked revision is a conflict, and no lock file is a bad request")
    func refused() throws {
      let home = try PrivateHome()
      let file = home.file("granary.lock")
      let text = try home.granary("lock", relu, "-o", file, "--json").output
      let artifact = try #require(try JSON(parsing: text)["kernels"][0]["artifact"].text)
      let forged = String(decoding: text, as: UTF8.self)
        .replacing(artifact, with: String(repeating: "0", count: 64))
      try Data(forged.utf8).write(to: URL(filePath: file))
      let refusal = try home.granary("get", relu, "--lock", file, "--json")
      #expect(refusal.status == 1, "\(refusal)")
      #expect(try refusal.failure()["code"].text == "conflict")
      try Data("{}".utf8).write(to: URL(filePath: file))
      #expect(try home.granary("get", relu, "--lock", file).status == 2)
      #expect(try home.granary("get", relu, "--lock", file, "--policy", "tuned").status == 2)
    }

    @Test(
      "what a lock file names is kept as long as the file is there, and --locked finds the file")
    func kept() throws {
      let home = try PrivateHome()
      let file = home.file("granary.lock")
      #expect(try home.granary("get", relu).status == 0)
      let made = try home.granary("lock", "--since", "1h", "-o", file, "--json")
      #expect(try made.json()["kernels"].list.count == 1, "\(made)")
      #expect(try made.json()["kernels"][0]["hardware"].text?.isEmpty == false)
      #expect(try HousekeepingTests.isIdle(home))
      let collection = try home.granary("gc", "--older-than", "0", "--max-size", "0", "--json")
      #expect(try collection.json()["entries_kept"].number == 1, "\(collection)")
      #expect(try home.granary("lock", "--check", file).status == 0)
      #expect(try home.granary("ls", "--json").json()[0]["protection"][0].text == "lock-file")
    }

    @Test("a pinned lock keeps its kernels through a collection of everything")
    func pinned() throws {
      let home = try PrivateHome()
      let file = home.file("granary.lock")
      #expect(try home.granary("lock", relu, "-o", file, "--pin").status == 0)
      #expect(try HousekeepingTests.isIdle(home))
      #expect(try home.granary("gc", "--older-than", "0", "--max-size", "0").status == 0)
      #expect(try home.granary("get", relu, "--lock", file).status == 0)
    }
  }
}
