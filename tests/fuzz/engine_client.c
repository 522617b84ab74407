#include "exchange.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    exchange_run(bytes, count, false);
    return 0;
}
