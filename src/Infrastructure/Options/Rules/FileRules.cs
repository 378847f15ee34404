using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using SparkGateway.Infrastructure.Security;

namespace SparkGateway.Infrastructure.Options.Rules;

/// <summary>Files that the configuration names must be there, readable, and belong together.</summary>
internal static class FileRules
{
    public static void Check(RuleContext context)
    {
        var options = context.Options;
        CheckTls(context, options.SparkConnect.Tls);
        CheckStore(context, options.Store);
        if (CheckReadable(context, ClientTokenFile.Key, options.SparkConnect.TokenFile) && options.SparkConnect.TokenFile.Length > 0)
            ClientTokenFile.Read(options.SparkConnect.TokenFile, context.Problems);
        if (CheckReadable(context, AdminTokens.Key, options.Admin.TokenFile) && options.Admin.TokenFile.Length > 0)
            ClientTokenFile.Read(options.Admin.TokenFile, context.Problems, AdminTokens.Key);
        CheckReadable(context, "driver_token_key_file", options.DriverTokenKeyFile);
        for (var i = 0; i < options.SparkConnect.Attached.Count; i++)
            CheckReadable(context, $"spark_connect.attached[{i}].token_file", options.SparkConnect.Attached[i].TokenFile);
        if (File.Exists(options.StateDir)) context.Refuse("state_dir", $"'{options.StateDir}' is a file; name a folder, which is made if it is missing.");
        if (options.Local.SparkHome.Length > 0 && !Directory.Exists(options.Local.SparkHome))
            context.Refuse("local.spark_home", $"the folder '{options.Local.SparkHome}' does not exist; name the folder of a Spark, or leave the key empty to have one found.");
    }

    private static void CheckTls(RuleContext context, TlsOptions tls)
    {
        const string cert = "spark_connect.tls.cert_file";
        const string key = "spark_connect.tls.key_file";
        if (tls.CertFile.Length == 0 && tls.KeyFile.Length == 0) return;
        if (tls.KeyFile.Length == 0) context.Refuse(cert, $"a certificate needs its private key; set {key} too.");
        if (tls.CertFile.Length == 0) context.Refuse(key, $"a private key needs its certificate; set {cert} too.");
        var isReadable = CheckReadable(context, cert, tls.CertFile) & CheckReadable(context, key, tls.KeyFile);
        if (!isReadable || tls.KeyFile.Length == 0 || tls.CertFile.Length == 0) return;
        try
        {
            using var pair = X509Certificate2.CreateFromPemFile(tls.CertFile, tls.KeyFile);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            context.Refuse(cert, $"'{tls.CertFile}' and '{tls.KeyFile}' are not a PEM certificate and its unencrypted private key; export both as PEM.");
        }
    }

    private static void CheckStore(RuleContext context, StoreOptions store)
    {
        const string key = "store.connection_string_file";
        if (store.Kind == "sqlite" && store.ConnectionStringFile.Length > 0)
            context.Refuse(key, "store.kind is sqlite, which lives in state_dir and connects to nothing; set store.kind to postgres, or remove this key.");
        if (store.Kind != "postgres") return;
        if (store.ConnectionStringFile.Length == 0)
            context.Refuse(key, "store.kind is postgres, which needs a file with one line, such as Host=db;Database=spark_gateway;Username=app;Password=...");
        else CheckReadable(context, key, store.ConnectionStringFile);
    }

    private static bool CheckReadable(RuleContext context, string key, string path)
    {
        if (path.Length == 0) return true;
        if (Files.WhyUnreadable(path) is not { } why) return true;
        context.Refuse(key, $"'{path}': {why}");
        return false;
    }
}
