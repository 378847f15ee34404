using SparkGateway.Domain.Sessions;

namespace SparkGateway.Infrastructure.Options.Rules;

/// <summary>How the API server is reached and watched; whatever the platform is, only what is set is looked at.</summary>
internal static class KubernetesRules
{
    private const string ProxyKey = "cluster_proxy_url";
    private const string TeamsKey = "spark_connect.on_demand.teams";

    public static void Check(RuleContext context)
    {
        var own = context.Options.Kubernetes;
        CheckProxy(context, own);
        CheckFile(context, "kubernetes.kubeconfig", own.Kubeconfig);
        CheckFile(context, "kubernetes.proxy_token_file", own.ProxyTokenFile);
        CheckFile(context, "kubernetes.proxy_ca_file", own.ProxyCaFile);
        if (own.RequestTimeoutSeconds > own.CallLimitSeconds)
            context.Refuse("kubernetes.request_timeout_seconds", $"{own.RequestTimeoutSeconds} is more than kubernetes.call_limit_seconds, which is {own.CallLimitSeconds}: one try cannot take longer than all; lower the one or raise the other.");
        if (own.BackoffMilliseconds > own.BackoffMaxSeconds * 1000)
            context.Refuse("kubernetes.backoff_milliseconds", $"{own.BackoffMilliseconds} is more than kubernetes.backoff_max_seconds, which is {own.BackoffMaxSeconds}; lower the one or raise the other.");
        if (context.Options.Platform == "kubernetes" && own.Namespaces.Count > 0) CheckNamespaces(context, own);
    }

    private static void CheckProxy(RuleContext context, KubernetesOptions own)
    {
        var url = context.Options.ClusterProxyUrl;
        if (url.Length == 0)
        {
            NeedsProxy("kubernetes.proxy_token_file", own.ProxyTokenFile);
            NeedsProxy("kubernetes.proxy_ca_file", own.ProxyCaFile);
            return;
        }

        if (context.Options.Platform != "kubernetes") context.Warn(ProxyKey, $"has no effect while platform is {context.Options.Platform}.");
        if (own.Kubeconfig.Length > 0) context.Warn("kubernetes.kubeconfig", $"has no effect while {ProxyKey} is set.");
        if (own.ProxyTokenFile.Length > 0 && url.StartsWith("http:", StringComparison.OrdinalIgnoreCase))
            context.Warn(ProxyKey, "the token of kubernetes.proxy_token_file crosses the network in the clear; use https.");

        void NeedsProxy(string key, string value)
        {
            if (value.Length > 0) context.Warn(key, $"has no effect while {ProxyKey} is empty.");
        }
    }

    /// <summary>A team whose namespace is not allowed could never start anything.</summary>
    private static void CheckNamespaces(RuleContext context, KubernetesOptions own)
    {
        var onDemand = context.Options.SparkConnect.OnDemand;
        for (var i = 0; onDemand.Enabled && i < onDemand.Teams.Count; i++)
        {
            var space = context.Options.SparkConnect.DefaultNamespacePattern
                .Replace("{team}", onDemand.Teams[i].Team, StringComparison.Ordinal)
                .Replace("{environment}", onDemand.Teams[i].Environment, StringComparison.Ordinal);
            if (SessionName.IsLabel(space) && !own.Namespaces.Contains(space))
                context.Refuse($"{TeamsKey}[{i}]", $"its namespace {space} is none of kubernetes.namespaces; add it there, or empty that list.");
        }
    }

    private static void CheckFile(RuleContext context, string key, string path)
    {
        if (path.Length > 0 && Files.WhyUnreadable(path) is { } why) context.Refuse(key, $"'{path}': {why}");
    }
}
