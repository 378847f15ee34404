using System.Text.Json.Nodes;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Api;

/// <summary>Asks the API server which rights the gateway's account has, one by one.</summary>
internal sealed class AccessReview(KubeTransport transport, KubeLimits limits, IReadOnlyList<string?> namespaces)
{
    private const string Path = "apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

    public async Task<KubeResult<IReadOnlyList<AccessGap>>> FindGapsAsync(IReadOnlyList<AccessRule> rules, CancellationToken cancellation)
    {
        var gaps = new List<AccessGap>();
        foreach (var rule in rules)
        {
            foreach (var verb in rule.Verbs)
            {
                // Whoever may do it everywhere need not be asked about each namespace.
                if (!(await IsAllowedAsync(rule, verb, null, cancellation)).TryGet(out var everywhere, out var error)) return error;
                if (everywhere) continue;
                foreach (var place in namespaces)
                {
                    if (place is not null)
                    {
                        if (!(await IsAllowedAsync(rule, verb, place, cancellation)).TryGet(out var allowed, out error)) return error;
                        if (allowed) continue;
                    }

                    gaps.Add(new AccessGap(rule.Group, rule.Resource, verb, place, Describe(rule, verb, place)));
                }
            }
        }

        return gaps;
    }

    private Task<KubeResult<bool>> IsAllowedAsync(AccessRule rule, string verb, string? place, CancellationToken cancellation)
    {
        var (resource, subresource) = rule.Resource.Split('/') is [var main, var sub] ? (main, sub) : (rule.Resource, "");
        var subject = new KubeSubject("create", "selfsubjectaccessreviews.authorization.k8s.io", null);
        var request = new KubeRequest(HttpMethod.Post, Path, subject, MayRepeat: true)
        {
            Body = new JsonObject
            {
                ["apiVersion"] = "authorization.k8s.io/v1",
                ["kind"] = "SelfSubjectAccessReview",
                ["spec"] = new JsonObject
                {
                    ["resourceAttributes"] = new JsonObject
                    {
                        ["group"] = rule.Group,
                        ["resource"] = resource,
                        ["subresource"] = subresource,
                        ["verb"] = verb,
                        ["namespace"] = place ?? "",
                    },
                },
            },
        };
        return transport.SendAsync(request, (body, bound) => ReadAsync(body, subject, bound), cancellation);
    }

    private async Task<KubeResult<bool>> ReadAsync(Stream body, KubeSubject subject, CancellationToken cancellation)
    {
        if (!(await KubeBodies.DocumentAsync(body, limits.MaxResponseBytes, subject, cancellation)).TryGet(out var document, out var error)) return error;
        using (document)
        {
            return document.RootElement.TryGetProperty("status", out var status) && status.TryGetProperty("allowed", out var allowed)
                ? allowed.GetBoolean()
                : KubeErrors.Unreachable("it answered with something that is no review", subject);
        }
    }

    private static string Describe(AccessRule rule, string verb, string? place)
    {
        var where = place is null ? "all namespaces (a ClusterRole and its ClusterRoleBinding), or name the allowed ones in kubernetes.namespaces" : $"namespace {place} (a Role and its RoleBinding)";
        return $"The gateway's service account may not {verb} {rule.Resource}{(rule.Group.Length > 0 ? "." + rule.Group : "")}: add {{apiGroups: [\"{rule.Group}\"], resources: [\"{rule.Resource}\"], verbs: [\"{verb}\"]}} for {where}.";
    }
}
