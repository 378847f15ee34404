namespace SparkGateway.Infrastructure.Options.Rules;

/// <summary>Each routing fact has at least one header, and no header means two facts.</summary>
internal static class HeaderRules
{
    public static void Check(RuleContext context)
    {
        const string section = "spark_connect.headers.";
        var headers = context.Options.SparkConnect.Headers;
        var ownerOf = new Dictionary<string, string>(StringComparer.Ordinal);
        CheckList(section + "session_name", headers.SessionName);
        CheckList(section + "namespace", headers.Namespace);
        CheckList(section + "team", headers.Team);
        CheckList(section + "environment", headers.Environment);
        var identity = context.Options.Identity.Header;
        if (identity.Length > 0 && ownerOf.TryGetValue(identity, out var owner))
            context.Refuse("identity.header", $"'{identity}' is already listed in {owner}; use each header once.");

        void CheckList(string key, List<string> names)
        {
            if (names.Count == 0) context.Refuse(key, "the list is empty; name at least one header.");
            for (var i = 0; i < names.Count; i++)
            {
                if (names[i].Length > 0 && !ownerOf.TryAdd(names[i], key))
                    context.Refuse($"{key}[{i}]", $"'{names[i]}' is already listed in {ownerOf[names[i]]}; use each header once.");
            }
        }
    }
}
