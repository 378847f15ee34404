namespace SparkGateway.Infrastructure.Options.Rules;

/// <summary>Keys that this version knows but does not act on. One that would open a port is refused, never ignored.</summary>
internal static class UnsupportedRules
{
    public static void Check(RuleContext context)
    {
        var options = context.Options;
        if (options.Batch.Enabled) context.Refuse("batch.enabled", "the batch API is not supported by this version; set it to false.");

        WarnIf(options.VaultAddress, "vault_address");
        WarnIf(options.VaultApproleFilePath, "vault_approle_file_path");
        WarnIf(options.VaultMountPath, "vault_mount_path");
        WarnIf(options.VaultTokenSecretPath, "vault_token_secret_path");

        void WarnIf(string value, string key)
        {
            if (value.Length > 0) context.Warn(key, "has no effect in this version.");
        }
    }
}
