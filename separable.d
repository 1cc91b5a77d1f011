separable.o: lib/model/tokeniser/separable.c lib/model/tokeniser/bands.h \
  lib/model/config.h lib/base/json.h lib/base/text.h \
  lib/model/augmentation.h lib/base/real.h lib/base/rng.h \
  lib/moe/expert.h lib/moe/setting.h lib/moe/tensor_plan.h \
  lib/tensor/ops.h lib/tensor/tape.h lib/base/mem.h lib/moe/router.h \
  lib/model/tokeniser.h lib/format/layout.h lib/format/preprocessing.h \
  lib/io/safetensors.h lib/io/input.h lib/io/output.h lib/base/error.h

lib/model/tokeniser/bands.h:

lib/model/config.h:

lib/base/json.h:

lib/base/text.h:

lib/model/augmentation.h:

lib/base/real.h:

lib/base/rng.h:

lib/moe/expert.h:

lib/moe/setting.h:

lib/moe/tensor_plan.h:

lib/tensor/ops.h:

lib/tensor/tape.h:

lib/base/mem.h:

lib/moe/router.h:

lib/model/tokeniser.h:

lib/format/layout.h:

lib/format/preprocessing.h:

lib/io/safetensors.h:

lib/io/input.h:

lib/io/output.h:

lib/base/error.h:
