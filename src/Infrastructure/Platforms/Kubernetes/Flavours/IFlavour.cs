using System.Text.Json.Nodes;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Api;
using SparkGateway.Infrastructure.Platforms.Kubernetes.Profiles;

namespace SparkGateway.Infrastructure.Platforms.Kubernetes.Flavours;

/// <summary>One of the kinds of object that Spark operators turn into drivers. Pure: it writes and reads documents.</summary>
internal interface IFlavour
{
    /// <summary>spark-application, spark-connect or apache: kubernetes.profiles[].flavour.</summary>
    string Name { get; }

    ResourceKind Kind { get; }

    /// <summary>Characters of the longest name that the operator takes.</summary>
    int MaxName { get; }

    /// <summary>A label selector that finds its driver pods, other people's too.</summary>
    string PodSelector { get; }

    /// <summary>The container of the pod that Spark runs in; sidecars may stand before it.</summary>
    string DriverContainer { get; }

    /// <summary>The object to create.</summary>
    JsonObject Build(ApplicationSpec spec);

    /// <summary>What the gateway needs of an object, its own or another's. Nothing of the document is kept.</summary>
    ApplicationView Parse(KubeObject application);

    /// <summary>What this flavour cannot do of a profile.</summary>
    IEnumerable<ProfileFault> Check(Profile profile);
}
