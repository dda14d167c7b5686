/* SPDX-License-Identifier: ISC */
/* What a static program weighs before it does anything. */
int main(void)
{
    return 0;
}
