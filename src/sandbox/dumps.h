/* Memory that holds keys never reaches a disk. */
#pragma once

/* No core dumps of this process, and no reading of its memory by others of the same user
 * (PR_SET_DUMPABLE); after user_become(), since changing users sets it anew. */
void sandbox_forbid_dumps(void);
