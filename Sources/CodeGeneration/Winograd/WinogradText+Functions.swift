import KernelSpec
import TensorProgram

extension WinogradText {
  private var transpose: String { prefix + "transpose" }
  private var contraction: Contraction { convolution.contraction }

  /// The C expression of the number of a matrix over `axes`.
  private func index(of axes: [Axis]) -> String {
    axes.reduce("0") { $0 == "0" ? $1.variable : "(\($0) * \($1.extent) + \($1.variable))" }
  }

  // MARK: - Filters

  /// Packs and transforms as many channels as lanes of a panel.
  var filtersText: String {
    let (width, lanes, places) = (shape.panelWidth, shape.lanes, shape.places)
    let along = WinogradTransform.text(shape.transform.ofFilter) {
      "g\($0)"
    } use: {
      "half[\($0) * 3 + x] = \($1);"
    }
    let across = WinogradTransform.text(shape.transform.ofFilter) {
      "half[y * 3 + \($0)]"
    } use: {
      "*(V *)(to + \($0 * shape.panels * shape.panelProduct)L) = \($1);"
    }
    return """
      static void \(prefix)filters(void *argument, int64_t block, int32_t thread) {
        const granary_call *call = argument;
        const int64_t matrix = block / \(shape.panels * channelParts);
      \(lines(2, decode("matrix", weights.batch)))
        const int64_t panel = block / \(channelParts) % \(shape.panels);
        const int64_t channel0 = block % \(channelParts) * \(lanes);
        const int64_t channel1 = \(minimum("channel0 + \(lanes)", "\(shape.channels)"));
        const int64_t first = panel * \(width);
        const int64_t count = \(minimum("\(shape.filters) - first", "\(width)"));
        T *packed = (T *)call->shared + \(packedStart)
            + (matrix * \(shape.panels) + panel) * \(shape.panelFilters) + channel0 * \(9 * width);
        \(weights.call("first", "count", "channel0 * 9", "(channel1 - channel0) * 9", "packed"));
        T *filters = (T *)call->shared + \(filterStart) + matrix * \(matrixFilters)
            + panel * \(shape.panelProduct);
        for (int64_t channel = channel0; channel < channel1; channel++) {
          for (int64_t j = 0; j < \(width); j += \(lanes)) {
            const T *from = packed + (channel - channel0) * \(9 * width) + j;
            V half[\(places * 3)];
            for (int64_t x = 0; x < 3; x++) {
      \(lines(8, (0..<3).map { "const V g\($0) = *(const VU *)(from + (\($0) * 3 + x) * \(width));" }))
      \(lines(8, along))
            }
            for (int64_t y = 0; y < \(places); y++) {
              T *to = filters + y * \(places * shape.panels * shape.panelProduct)L
                  + channel * \(width) + j;
      \(lines(8, across))
            }
          }
        }
      }
      """
  }

  // MARK: - Tiles of the image

  /// `input(image, rows, strip, to)` transforms a row of tiles for as many channels as lanes. `rows` rows of the image
  /// are there; what is beyond them is zero.
  var inputText: String {
    let (lanes, columns, places) = (shape.lanes, shape.stripColumns, shape.places)
    let down = WinogradTransform.text(shape.transform.ofInput) {
      "d\($0)"
    } use: {
      "*(V *)(at + \($0 * columns * lanes)) = \($1);"
    }
    let along = WinogradTransform.text(shape.transform.ofInput) {
      "d\($0)"
    } use: {
      "*(VU *)(out + \($0 * shape.productTiles)L) = \($1);"
    }
    let rowElements = convolution.image.rowElements
    return """
      static __attribute__((noinline)) void \(prefix)input(
          const T *restrict image, int64_t rows, T *restrict strip, T *restrict to) {
        for (int64_t y = 0; y < \(places); y++) {
          T *row = strip + y * \(columns * lanes);
          for (int64_t x = 0; x < \(columns) && y < rows; x += \(lanes))
            \(transpose)(image + y * \(rowElements) + x, \(convolution.image.planeElements),
                row + x * \(lanes), \(lanes));
          for (int64_t x = y < rows ? \(rowElements) : 0; x < \(columns); x++)
            *(V *)(row + x * \(lanes)) = (V){0};
        }
        for (int64_t x = 0; x < \(shape.resultColumns + 2); x++) {
          T *at = strip + x * \(lanes);
      \(lines(4, (0..<places).map { "const V d\($0) = *(const V *)(at + \($0 * columns * lanes));" }))
      \(lines(4, down))
        }
        for (int64_t tile = 0; tile < \(shape.tilesAcross); tile++) {
          for (int64_t y = 0; y < \(places); y++) {
            const T *at = strip + (y * \(columns) + tile * \(shape.results)) * \(lanes);
            T *out = to + tile * \(shape.channelStride) + y * \(places * shape.productTiles)L;
      \(lines(6, (0..<places).map { "const V d\($0) = *(const V *)(at + \($0 * lanes));" }))
      \(lines(6, along))
          }
        }
      }
      """
  }

  /// The loop that transforms row `down` of tiles, row `down0` of its group; the last channels may overlap those
  /// before them.
  private func inputLoop(to: String) -> String {
    let image = convolution.image
    return """
      const int64_t rows = \(shape.height + 2) - down * \(shape.results);
      for (int64_t part = 0; part < \(channelParts); part++) {
        const int64_t channel = \(minimum("part * \(shape.lanes)", "\(shape.channels - shape.lanes)"));
        \(prefix)input((const T *)call->shared + \(index(of: image.batch)) * \(image.matrixElements)
            + channel * \(image.planeElements) + down * \(shape.results * image.rowElements), rows, strip,
            \(to) + down0 * \(shape.tilesAcross * shape.channelStride) + channel);
      }
      """
  }

  /// Transforms a row of tiles into memory that threads share.
  var tilesText: String {
    let to =
      "(T *)call->shared + \(tileStart) + (matrix * \(shape.groups) + down / \(shape.groupRows))"
      + " * \(shape.groupTiles)L"
    return """
      static void \(prefix)tiles(void *argument, int64_t block, int32_t thread) {
        const granary_call *call = argument;
        const int64_t matrix = block / \(shape.tilesDown);
      \(lines(2, decode("matrix", convolution.image.batch)))
        const int64_t down = block % \(shape.tilesDown), down0 = down % \(shape.groupRows);
        T *strip = (T *)(call->scratch + (int64_t)thread * \(threadBytes));
      \(lines(2, [inputLoop(to: to)]))
      }
      """
  }

  // MARK: - Results

  /// `output(sums, to, tiles)` transforms the sums of a panel, and gives zeros, or NaN where a result is not finite.
  var outputText: String {
    let (lanes, places, width) = (shape.lanes, shape.places, shape.panelWidth)
    let product = shape.tiles * width
    let down = shape.transform.results {
      "m\($0)"
    } use: {
      "half[\($0) * \(places) + x] = \($1);"
    }
    let along = shape.transform.results {
      "m\($0)"
    } use: { column, value in
      "{ const V y = \(value); *(V *)(out + \(column * width)) = y; odd += y * (T)0; }"
    }
    return """
      static __attribute__((noinline)) V \(prefix)output(
          const T *restrict sums, T *restrict to, int64_t tiles) {
        V odd = {0};
        for (int64_t tile = 0; tile < tiles; tile++) {
          T *corner = to + (tile / \(shape.tilesAcross) * \(shape.results * shape.resultColumns)
              + tile % \(shape.tilesAcross) * \(shape.results)) * \(width);
          for (int64_t j = 0; j < \(width); j += \(lanes)) {
            V half[\(shape.results * places)];
            for (int64_t x = 0; x < \(places); x++) {
              const T *at = sums + x * \(product)L + tile * \(width) + j;
      \(lines(8, (0..<places).map { "const V m\($0) = *(const V *)(at + \($0 * places * product)L);" }))
      \(lines(8, down))
            }
            for (int64_t row = 0; row < \(shape.results); row++) {
              T *out = corner + row * \(shape.resultColumns * width) + j;
      \(lines(8, (0..<places).map { "const V m\($0) = half[row * \(places) + \($0)];" }))
      \(lines(8, along))
            }
          }
        }
        return odd;
      }
      """
  }

  /// `plain(image, packed, height, to)` computes `height` rows of a panel's results as plain sums.
  var plainText: String {
    let image = convolution.image
    return """
      static __attribute__((noinline)) void \(prefix)plain(
          const T *restrict image, const T *restrict packed, int64_t height, T *restrict to) {
        for (int64_t j = 0; j < \(shape.panelWidth); j++)
          for (int64_t y = 0; y < height; y++)
            for (int64_t x = 0; x < \(shape.width); x += \(shape.lanes)) {
              V sum = {0};
              for (int64_t channel = 0; channel < \(shape.channels); channel++)
                for (int64_t tap = 0; tap < 9; tap++)
                  sum += packed[(channel * 9 + tap) * \(shape.panelWidth) + j]
                      * *(const VU *)(image + channel * \(image.planeElements)
                          + (y + tap / 3) * \(image.rowElements) + x + tap % 3);
              *(VU *)(to + j * \(shape.resultStride) + y * \(shape.width) + x) = sum;
            }
      }
      """
  }

  // MARK: - Products

  /// Computes the results of a group of tiles, for one panel of filters or for all.
  var multiplyText: String {
    let batch = contraction.loopedBatch
    // Blocks of one panel follow each other, so that its filters stay in the cache.
    let panels =
      tuning.isShared
      ? "const int64_t panel = block / \(batch.extent * shape.groups);"
      : "for (int64_t panel = 0; panel < \(shape.panels); panel++)"
    return """
      static void \(prefix)multiply(void *argument, int64_t block, int32_t thread) {
        const granary_call *call = argument;
        const int64_t matrix = block / \(shape.groups) % \(batch.extent);
      \(lines(2, decode("matrix", batch)))
        const int64_t group = block % \(shape.groups);
        const int64_t top = group * \(shape.groupRows);
        const int64_t down1 = \(minimum("top + \(shape.groupRows)", "\(shape.tilesDown)"));
        const int64_t tiles = (down1 - top) * \(shape.tilesAcross);
        const int64_t column = top * \(shape.results * shape.width);
        const int64_t height = \(minimum("\(shape.height) - top * \(shape.results)", "\(shape.groupRows * shape.results)"));
        T *strip = (T *)(call->scratch + (int64_t)thread * \(threadBytes));
        T *sums = strip + \(sumsOffset), *places = strip + \(placesOffset);
        T *tile = strip + \(resultsOffset);
        const T *packed = (const T *)call->shared + \(packedStart)
            + \(index(of: weights.batch)) * \(shape.panels * shape.panelFilters);
        const T *transformed = (const T *)call->shared + \(filterStart)
            + \(index(of: weights.batch)) * \(matrixFilters);
      \(ownTiles)
        \(panels) {
      \(lines(4, [panelText]))
        }
      }
      """
  }

  /// The group's tiles, which the block transforms unless threads share them.
  private var ownTiles: String {
    if tuning.isShared {
      return "  T *own = (T *)call->shared + \(tileStart)"
        + " + (\(index(of: convolution.image.batch)) * \(shape.groups) + group) * \(shape.groupTiles)L;"
    }
    return """
        T *own = strip + \(tilesOffset);
        for (int64_t down = top; down < down1; down++) {
          const int64_t down0 = down - top;
      \(lines(4, [inputLoop(to: "own")]))
        }
      """
  }

  private var panelText: String {
    let image = convolution.image
    let (width, lanes) = (shape.panelWidth, shape.lanes)
    return """
      for (int64_t product = 0; product < \(shape.products); product++) {
        const T *filters = transformed + (product * \(shape.panels) + panel) * \(shape.panelProduct)L;
        const T *from = own + product * \(shape.productTiles)L;
        T *to = sums + product * \(shape.tiles * width)L;
        for (int64_t tile = 0; tile < tiles; tile += \(shape.tileRows)) {
          const int64_t rows = \(minimum("tiles - tile", "\(shape.tileRows)"));
          \(productCall)
        }
      }
      const V odd = \(prefix)output(sums, places, tiles);
      int isOdd = 0;
      for (int lane = 0; lane < \(lanes); lane++) isOdd |= !(odd[lane] == 0);
      if (isOdd) {
        \(prefix)plain((const T *)call->shared + \(index(of: image.batch)) * \(image.matrixElements)
            + top * \(shape.results * image.rowElements), packed + panel * \(shape.panelFilters), height, tile);
      } else {
        for (int64_t y = 0; y < height; y++)
          for (int64_t x = 0; x < \(shape.width); x += \(lanes))
            for (int64_t j = 0; j < \(width); j += \(lanes))
              \(transpose)(places + (y * \(shape.resultColumns) + x) * \(width) + j, \(width),
                  tile + j * \(shape.resultStride) + y * \(shape.width) + x, \(shape.resultStride));
      }
      const int64_t row = panel * \(width), columns = height * \(shape.width);
      const int64_t rows = \(minimum("\(shape.filters) - row", "\(width)"));
      const int64_t padded = \(shape.resultStride);
      \(epilogue.call(contraction.loopedBatch));
      """
  }
}
